"""A sandbox with the real adaptor beside it, for a log to be played to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from reactor.daemon import Daemon
from reactor.model.meta import Meta
from reactor.replay.step import Step
from reactor.sandbox import crds
from reactor.sandbox.server import Sandbox
from reactor.settings import Settings

PATIENCE: Final = 5.0
"""Seconds that the adaptor may take for one step before the next is done all the same."""
_LOOK: Final = 0.002
_KEPT: Final = ("cluster-domain", "orphans")
"""Settings of the recorded run that its decisions depended on."""


class Rehearsal:
    """Both of them, running."""

    def __init__(self, sandbox: Sandbox, daemon: Daemon, kubeconfig: Path) -> None:
        self._daemon = daemon
        self.sandbox = sandbox
        self.kubeconfig = kubeconfig

    async def handled(self, step: Step, left: Meta | None) -> None:
        """Wait until the adaptor has seen what a step left, and has no work any more."""
        until = time.monotonic() + PATIENCE
        while not self._rests(step, left) and time.monotonic() < until:  # noqa: ASYNC110 - stores and queue tell nobody
            await asyncio.sleep(_LOOK)

    def _rests(self, step: Step, left: Meta | None) -> bool:
        parts = self._daemon.parts
        if step.resource == "services":
            known = parts.services.get(step.namespace, step.name)
            seen = (known is None) == (step.state == "missing")
        else:
            held = (
                parts.splits.get(step.namespace, step.name)
                if step.resource == "trafficsplits"
                else parts.profiles.get(step.namespace, step.name)
            )
            if left is None:
                seen = held is None
            else:
                seen = held is not None and (
                    held.meta.uid != left.uid or held.meta.version >= left.version
                )
        return seen and not (len(parts.queue) or parts.queue.working)


@asynccontextmanager
async def rehearsal(
    directory: Path, *, domain: str, settings: Mapping[str, str]
) -> AsyncIterator[Rehearsal]:
    """Start both, with the settings of the recorded run; their files go into ``directory``."""
    kept = {**{name: settings[name] for name in _KEPT if name in settings}}
    if domain:
        kept["cluster-domain"] = domain
    async with Sandbox(definitions=(_lenient(crds.traffic_split()), crds.service_profile())) as box:
        kubeconfig = box.write_kubeconfig(directory / "kubeconfig")
        daemon = Daemon(
            Settings.from_command_line(
                [
                    f"-kubeconfig={kubeconfig}",
                    f"-audit-url={directory / 'audit.sqlite'}",
                    "-metrics-addr=127.0.0.1:0",
                    *(f"-{name}={value}" for name, value in kept.items()),
                ],
                {},
            )
        )
        try:
            await daemon.start()
            await daemon.working()
            yield Rehearsal(box, daemon, kubeconfig)
        finally:
            await daemon.stop()


def _lenient(definition: dict[str, Any]) -> dict[str, Any]:
    """Whatever the recorded cluster let in has to be let in here."""
    for version in definition["spec"]["versions"]:
        version["schema"] = {
            "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        }
    return definition
