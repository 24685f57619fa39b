"""A split that two people changed, and the adaptor that followed and recorded it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from reactor.events import Observed, Synced
from reactor.sandbox.server import Sandbox
from tests.cluster.api import TRAFFICSPLITS, Api, Object
from tests.contract.adaptor import Adaptor

NAMESPACE = "shop"
SPLIT = f"{NAMESPACE}/canary"
SERVICE = f"{NAMESPACE}/web"
_SERVICES = ("web", "web-v1", "web-v2")


def split(first: int, second: int) -> Object:
    return {
        "apiVersion": "split.smi-spec.io/v1alpha1",
        "kind": "TrafficSplit",
        "metadata": {"name": "canary", "namespace": NAMESPACE},
        "spec": {
            "service": "web",
            "backends": [
                {"service": "web-v1", "weight": first},
                {"service": "web-v2", "weight": second},
            ],
        },
    }


@dataclass
class Story:
    """The adaptor runs; ``url`` is its admin port, ``log`` its file."""

    sandbox: Sandbox
    api: Api
    adaptor: Adaptor

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.adaptor.daemon.port}"

    @property
    def log(self) -> Path:
        return self.adaptor.log_file

    async def change(self, first: int, second: int, *, by: str) -> None:
        """The split has other weights, and the profile follows."""
        self.adaptor.forget_events()
        await self.api.patch(
            TRAFFICSPLITS, "canary", split(first, second), NAMESPACE, field_manager=by
        )
        await self.settled()

    async def settled(self) -> None:
        """The outcome and the echo of our write are on disk."""
        await self.adaptor.event(Synced, lambda event: event.outcome in ("created", "patched"))
        await self.adaptor.event(
            Observed, lambda event: event.resource == "serviceprofiles" and event.change == "echo"
        )
        assert await self.adaptor.daemon.parts.journal.commit()


@asynccontextmanager
async def told(folder: Path, *flags: str) -> AsyncIterator[Story]:
    """alice made the split 90 to 10, bob changed it to 50 to 50."""
    async with Sandbox() as sandbox:
        kubeconfig = sandbox.write_kubeconfig(folder / "kubeconfig")
        async with Api.connect(kubeconfig) as api:
            await api.ensure(
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
                *(
                    {
                        "apiVersion": "v1",
                        "kind": "Service",
                        "metadata": {"name": name, "namespace": NAMESPACE},
                        "spec": {"ports": [{"port": 80}]},
                    }
                    for name in _SERVICES
                ),
            )
            adaptor = Adaptor(kubeconfig=kubeconfig, directory=folder, flags=flags)
            await adaptor.start()
            try:
                story = Story(sandbox, api, adaptor)
                await api.create(TRAFFICSPLITS, split(90, 10), field_manager="alice")
                await story.settled()
                await story.change(50, 50, by="bob")
                yield story
            finally:
                await adaptor.stop()
