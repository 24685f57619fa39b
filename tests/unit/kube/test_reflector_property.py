"""Whatever happens on the way, the store ends equal to the server."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor.errors import Retryable
from reactor.events import Observed
from reactor.kube.discovery import Newest
from reactor.kube.reflector import Reflector
from reactor.kube.store import Change, SplitStore
from reactor.model import trafficsplit
from reactor.model.decode import parse_object
from reactor.model.trafficsplit import TrafficSplit

from .model_server import ModelServer, overloaded

NAMES = st.sampled_from(["a", "b", "c", "d"])
SERVICES = st.sampled_from(["web", "api", None])

actions = st.one_of(
    st.tuples(st.just("write"), NAMES, SERVICES),
    st.tuples(st.just("write"), NAMES, SERVICES),
    st.tuples(st.just("delete"), NAMES),
    st.tuples(st.just("recreate"), NAMES, SERVICES),
    st.tuples(st.just("write_ourselves"), NAMES, SERVICES),
    st.tuples(st.just("answer_arrives"), st.integers(0, 3)),
    st.tuples(st.just("delete_ourselves"), NAMES),
    st.tuples(st.just("hold")),
    st.tuples(st.just("release")),
    st.tuples(st.just("compact")),
    st.tuples(st.just("bookmark")),
    st.tuples(st.just("repeat"), st.integers(1, 4)),
    st.tuples(st.just("end_watch")),
    st.tuples(st.just("break_watch")),
    st.tuples(st.just("expire_watch")),
    st.tuples(st.just("fail"), st.integers(1, 3)),
    st.tuples(st.just("expire_request")),
    st.tuples(st.just("remove_crd")),
    st.tuples(st.just("serve"), st.sampled_from(["v1alpha4", "v1alpha2"])),
    st.tuples(st.just("relist")),
    st.tuples(st.just("run"), st.integers(1, 30)),
)


def decode(raw: msgspec.Raw | bytes) -> TrafficSplit:
    return trafficsplit.decode(parse_object(raw), domain="cluster.local")


class World:
    """A server, a reflector on it, and a reconciler that looks only when it is woken."""

    def __init__(self, seed: int) -> None:
        self.server = ModelServer()
        self.store = SplitStore()
        self.known: dict[str, tuple[str, str]] = {}
        self.answers: list[dict[str, Any]] = []
        self.clock = 0.0
        self.relists: list[asyncio.Future[None]] = []
        self.reflector: Reflector[TrafficSplit] = Reflector(
            connection=self.server,
            discovery=Newest(
                connection=self.server,
                group=trafficsplit.GROUP,
                plural=trafficsplit.PLURAL,
                versions=trafficsplit.VERSIONS,
            ),
            resource="trafficsplits",
            decode=decode,
            store=self.store,
            publish=self.publish,
            absent="no CRD",
            echoes=True,
            clock=lambda: self.clock,
            sleep=self.sleep,
            random=random.Random(seed).random,
        )

    async def sleep(self, seconds: float) -> None:
        self.clock += seconds
        await asyncio.sleep(0)

    async def publish(self, event: Observed) -> None:
        assert event.change in ("added", "modified", "deleted", "echo")
        if event.change != "echo":
            self.look(event.object.meta.name)
        await asyncio.sleep(0)

    def look(self, name: str) -> None:
        """What a reconciler does that is woken: it reads the store."""
        self.known.pop(name, None)
        split = self.store.get("ns", name)
        if split is not None:
            self.known[name] = (split.meta.uid, split.meta.resource_version)

    def applied(self, changes: tuple[Change[TrafficSplit], ...]) -> None:
        for change in changes:
            for obj in (change.old, change.new):
                if obj is not None:
                    self.look(obj.meta.name)

    async def do(self, action: tuple[Any, ...]) -> None:
        server = self.server
        match action:
            case ("write", name, service) if server.served:
                server.write(name, service)
            case ("delete", name):
                server.delete(name)
            case ("recreate", name, service) if server.served:
                server.delete(name)
                server.write(name, service)
            case ("write_ourselves", name, service) if server.served:
                self.answers.append(server.write(name, service))
            case ("delete_ourselves", name) if name in server.objects:
                uid = server.objects[name]["metadata"]["uid"]
                server.delete(name)
                if uid == self.known.get(name, ("",))[0]:
                    self.applied(self.store.remove("ns", name, uid))
            case ("answer_arrives", number) if number < len(self.answers):
                self.answer(number)
            case ("repeat", count):
                server.repeat(count)
            case ("end_watch",):
                server.end_watches(None)
            case ("break_watch",):
                server.end_watches(Retryable("the connection ended in the middle of a line"))
            case ("expire_watch",):
                server.expire_watches()
            case ("fail", count):
                server.faults.extend(overloaded(after=2.0) for _ in range(count))
            case ("compact" | "bookmark" | "remove_crd" | "hold" | "release" as name,):
                call: Callable[[], None] = getattr(server, name)
                call()
            case ("serve", version):
                if server.served != version:
                    server.served = version
                    server.end_watches(None)
            case ("relist",):
                await self.relist()
            case ("run", turns):
                await turn(turns)

    async def relist(self) -> None:
        self.relists.append(asyncio.ensure_future(self.reflector.relist()))
        await turn(1)

    def answer(self, number: int) -> None:
        # The reconciler puts an answer in and knows from then on; the event comes as an echo.
        self.applied(self.store.put(decode(msgspec.json.encode(self.answers.pop(number)))))

    def truth(self) -> dict[str, tuple[str, str]]:
        return {
            name: (obj["metadata"]["uid"], obj["metadata"]["resourceVersion"])
            for name, obj in self.server.objects.items()
        }

    def held(self) -> dict[str, tuple[str, str]]:
        return {
            split.meta.name: (split.meta.uid, split.meta.resource_version)
            for split in self.store.values()
        }


async def turn(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def live(script: list[tuple[Any, ...]], seed: int) -> None:
    world = World(seed)
    running = asyncio.create_task(world.reflector.run())
    try:
        for action in script:
            await world.do(action)
        while world.answers:
            world.answer(0)
        if world.server.served is None:
            world.server.served = "v1alpha4"
        world.server.faults.clear()
        world.server.release()
        await asyncio.gather(*world.relists, return_exceptions=True)
        for _ in range(400):
            await turn(5)
            if world.held() == world.truth() and world.reflector.health.established:
                break
        await turn(50)
        assert world.held() == world.truth()
        assert world.known == world.truth()
        assert world.reflector.health.unready() is None
        for split in world.store.values():
            if split.service is not None:
                found = {s.meta.uid for s in world.store.by_service("ns", split.service)}
                assert split.meta.uid in found
        indexed = [*world.store.by_service("ns", "web"), *world.store.by_service("ns", "api")]
        assert len(indexed) == sum(s.service is not None for s in world.store.values())
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@settings(max_examples=1500, deadline=None)
@given(script=st.lists(actions, max_size=40), seed=st.integers(0, 2**16))
def test_the_store_ends_equal_to_the_server_after_any_interleaving(
    script: list[tuple[Any, ...]], seed: int
) -> None:
    asyncio.run(live(script, seed))
