"""Reflectors of splits and profiles on some API server, and what they published."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from reactor.events import Observed
from reactor.kube.connection import Connection
from reactor.kube.discovery import Fixed, Newest
from reactor.kube.reflector import Reflector
from reactor.kube.store import SplitStore, Store
from reactor.model import serviceprofile, trafficsplit
from reactor.model.serviceprofile import ServiceProfile
from reactor.model.trafficsplit import TrafficSplit

from .objects import decode_profile, decode_split

PROFILES = f"/apis/{serviceprofile.GROUP}/{serviceprofile.VERSION}/{serviceprofile.PLURAL}"


class Mirror:
    """The stores, and the reflectors that fill them."""

    def __init__(self, connection: Connection, *, silence: float = 90.0) -> None:
        self.connection = connection
        self.seen: list[Observed] = []
        self.splits = SplitStore()
        self.profiles: Store[ServiceProfile] = Store()
        self.of_splits: Reflector[TrafficSplit] = Reflector(
            connection=connection,
            discovery=Newest(
                connection=connection,
                group=trafficsplit.GROUP,
                plural=trafficsplit.PLURAL,
                versions=trafficsplit.VERSIONS,
            ),
            resource="trafficsplits",
            decode=decode_split,
            store=self.splits,
            publish=self._publish,
            absent="the CRD is missing: apply it",
            random=lambda: 0.25,
            silence=silence,
        )
        self.of_profiles: Reflector[ServiceProfile] = Reflector(
            connection=connection,
            discovery=Fixed(PROFILES),
            resource="serviceprofiles",
            decode=decode_profile,
            store=self.profiles,
            publish=self._publish,
            absent="the CRD is missing: install Linkerd",
            echoes=True,
            random=lambda: 0.25,
            silence=silence,
        )

    async def _publish(self, event: Observed) -> None:
        self.seen.append(event)

    def told(self) -> list[tuple[str, str]]:
        """Changes of splits."""
        splits = (e for e in self.seen if e.resource == "trafficsplits")
        return [(event.change, event.object.meta.name) for event in splits]

    def versions(self) -> dict[tuple[str, str], str]:
        """The splits' versions by name."""
        return {
            (s.meta.namespace, s.meta.name): s.meta.resource_version for s in self.splits.values()
        }

    async def equal(self, objects: Callable[[], list[dict[str, Any]]]) -> None:
        """Waits until the splits are these."""

        def same() -> bool:
            metas = [obj["metadata"] for obj in objects()]
            truth = {(m["namespace"], m["name"]): m["resourceVersion"] for m in metas}
            return self.versions() == truth and self.of_splits.health.established

        await until(same)


async def until(condition: Callable[[], bool], seconds: float = 45.0) -> None:
    """Waits until it holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - it spans a server, a wire and a store
            await asyncio.sleep(0.005)


@asynccontextmanager
async def mirror(kubeconfig: Path, *, silence: float = 90.0) -> AsyncIterator[Mirror]:
    """Runs both reflectors until left; both have listed when it is entered."""
    async with Connection.from_kubeconfig(str(kubeconfig), environ={}) as connection:
        found = Mirror(connection, silence=silence)
        running = [
            asyncio.create_task(found.of_splits.run()),
            asyncio.create_task(found.of_profiles.run()),
        ]
        try:
            yield found
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
