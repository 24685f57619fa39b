"""A reflector on a wire server; its sleeps take no time, and are written down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from reactor.events import Observed
from reactor.kube.connection import Connection
from reactor.kube.discovery import Newest
from reactor.kube.listing import Decode
from reactor.kube.reflector import Reflector
from reactor.kube.store import SplitStore
from reactor.model import trafficsplit
from reactor.model.trafficsplit import TrafficSplit

from .loopback import kubeconfig
from .objects import decode_split
from .wire_server import WireServer, wired


class Bench:
    """A server, a reflector on it, and what it published."""

    def __init__(self, server: WireServer) -> None:
        self.server = server
        self.store = SplitStore()
        self.seen: list[Observed] = []
        self.slept: list[float] = []
        self.now = 1000.0
        self.reflector: Reflector[TrafficSplit]

    async def publish(self, event: Observed) -> None:
        self.seen.append(event)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0.001)

    def told(self) -> list[tuple[str, str]]:
        return [(event.change, event.object.meta.name) for event in self.seen]

    def versions(self) -> dict[str, str]:
        return {s.meta.name: s.meta.resource_version for s in self.store.values()}

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits until it holds."""
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110 - it spans server, wire and store
                await asyncio.sleep(0.002)

    async def settled(self) -> None:
        """Waits until the store equals the server, with a watch open."""

        def same() -> bool:
            truth = {
                name: obj["metadata"]["resourceVersion"]
                for name, obj in self.server.objects.items()
            }
            return self.versions() == truth and bool(self.server.watchers)

        await self.until(same)


@asynccontextmanager
async def bench(
    tmp_path: Path,
    *,
    before: Callable[[Bench], None] = lambda bench: None,
    decode: Decode[TrafficSplit] = decode_split,
    user: dict[str, str] | None = None,
    echoes: bool = False,
    silence: float = 90.0,
    chunk: int = 500,
) -> AsyncIterator[Bench]:
    """Runs a reflector against a wire server, prepared by ``before``."""
    async with wired() as (server, loopback):
        server.chunk = chunk
        found = Bench(server)
        before(found)
        path = kubeconfig(tmp_path, loopback.url, user=user)
        async with Connection.from_kubeconfig(path, environ={}) as connection:
            found.reflector = Reflector(
                connection=connection,
                discovery=Newest(
                    connection=connection,
                    group=trafficsplit.GROUP,
                    plural=trafficsplit.PLURAL,
                    versions=trafficsplit.VERSIONS,
                ),
                resource="trafficsplits",
                decode=decode,
                store=found.store,
                publish=found.publish,
                absent="the CRD is missing: apply it",
                echoes=echoes,
                sleep=found.sleep,
                clock=lambda: found.now,
                random=lambda: 0.5,
                silence=silence,
            )
            running = asyncio.create_task(found.reflector.run())
            try:
                yield found
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)


def with_splits(*names: str) -> Callable[[Bench], None]:
    def prepare(found: Bench) -> None:
        for name in names:
            found.server.write(name, "web")

    return prepare
