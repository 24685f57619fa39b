"""One of several replicas holds the lease; in virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from reactor.errors import Conflict, ReactorError, Retryable, Terminal
from reactor.kube.connection import Response
from reactor.kube.lease import Lease

PATH = "/apis/coordination.k8s.io/v1/namespaces/linkerd-smi/leases"


class Leases:
    """The API server's side: one lease, optimistic locking, and outages."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.version = 0
        self.down: set[str] = set()
        self.lose_answers = False
        self.writes = 0

    def as_user(self, who: str) -> User:
        return User(self, who)

    def holder(self) -> str | None:
        return self.lease["spec"].get("holderIdentity") if self.lease else None

    async def request(self, method: str, path: str, body: bytes | None) -> Response:
        await asyncio.sleep(0)
        if method == "GET":
            assert path == f"{PATH}/smi-adaptor"
            if self.lease is None:
                raise Terminal("404", status=404)
            return self._answer()
        assert body is not None
        sent = json.loads(body)
        if method == "POST":
            if self.lease is not None:
                raise Conflict("409")
        elif sent["metadata"]["resourceVersion"] != str(self.version):
            raise Conflict("409")
        self.version += 1
        self.writes += 1
        sent["metadata"]["resourceVersion"] = str(self.version)
        self.lease = sent
        if self.lose_answers:
            raise Retryable("the answer is lost", sent=True)
        return self._answer()

    def _answer(self) -> Response:
        return Response(200, {}, json.dumps(self.lease).encode())


class User:
    """One replica's connection."""

    def __init__(self, leases: Leases, who: str) -> None:
        self._leases = leases
        self._who = who

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        **rest: object,
    ) -> Response:
        if self._who in self._leases.down:
            raise Retryable("no route to host")
        return await self._leases.request(method, path, body)


class Time:
    """Virtual seconds: sleepers wake in order."""

    def __init__(self) -> None:
        self.now = 100.0
        self.sleepers: list[tuple[float, asyncio.Future[None]]] = []

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sleepers.append((self.now + seconds, woken))
        await woken

    async def pass_(self, seconds: float) -> None:
        end = self.now + seconds
        await _turn()
        while due := [s for s in self.sleepers if s[0] <= end]:
            first = min(due, key=lambda s: s[0])
            self.sleepers.remove(first)
            self.now = max(self.now, first[0])
            if not first[1].done():
                first[1].set_result(None)
            await _turn()
        self.now = end


async def _turn() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class World:
    """Replicas that compete for one lease."""

    def __init__(self) -> None:
        self.leases = Leases()
        self.time = Time()

    def replica(self, who: str) -> Lease:
        return Lease(
            connection=self.leases.as_user(who),
            namespace="linkerd-smi",
            identity=who,
            clock=lambda: self.time.now,
            sleep=self.time.sleep,
            random=lambda: 1.0,
        )


async def acquired(world: World, lease: Lease) -> None:
    await _within(world, lease.acquire())


async def _within(world: World, waiting: Awaitable[None], seconds: float = 5.0) -> None:
    task = asyncio.ensure_future(waiting)
    await world.time.pass_(seconds)
    assert task.done()
    await task


async def test_the_first_replica_creates_the_lease_and_keeps_it() -> None:
    world = World()
    first = world.replica("one")
    await acquired(world, first)
    await world.time.pass_(120)
    assert first.held
    assert world.leases.holder() == "one"
    assert world.leases.lease is not None
    assert world.leases.lease["spec"]["leaseDurationSeconds"] == 15
    assert 23 <= world.leases.writes <= 27
    await first.release()


async def test_a_standby_waits_while_the_holder_renews() -> None:
    world = World()
    first, second = world.replica("one"), world.replica("two")
    await acquired(world, first)
    standby = asyncio.create_task(second.acquire())
    await world.time.pass_(300)
    assert not standby.done()
    assert second.holder == "one"
    await first.release()
    await world.time.pass_(1.1)
    assert standby.done()
    assert world.leases.holder() == "two"
    await second.release()
    await standby


async def test_a_holder_that_dies_is_followed_within_fifteen_seconds() -> None:
    world = World()
    first, second = world.replica("one"), world.replica("two")
    await acquired(world, first)
    standby = asyncio.create_task(second.acquire())
    await world.time.pass_(60.3)
    world.leases.down.add("one")
    died = world.time.now
    while not standby.done():
        await world.time.pass_(0.1)
    assert world.time.now - died <= 15.0
    assert not first.held, "the old holder stopped before the new one began"
    await first.release()
    await second.release()
    await standby


async def test_never_do_two_replicas_hold_it_at_once() -> None:
    world = World()
    replicas = [world.replica(str(number)) for number in range(3)]
    waiting = [asyncio.create_task(replica.acquire()) for replica in replicas]
    for second in range(200):
        if second % 40 == 10:
            world.leases.down = {world.leases.holder() or ""}
        if second % 40 == 38:
            world.leases.down = set()
            for number, replica in enumerate(replicas):
                if replica.lost.is_set() and waiting[number].done():
                    waiting[number] = asyncio.create_task(replica.acquire())
        for _ in range(4):
            await world.time.pass_(0.25)
            assert sum(replica.held for replica in replicas) <= 1
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    for replica in replicas:
        await replica.release()


async def test_a_holder_without_a_server_gives_up_after_ten_seconds() -> None:
    world = World()
    lease = world.replica("one")
    await acquired(world, lease)
    await world.time.pass_(0.1)
    world.leases.down.add("one")
    await world.time.pass_(9.5)
    assert not lease.held or world.time.now < 116
    await world.time.pass_(6)
    assert not lease.held
    assert lease.lost.is_set()
    await lease.release()
    assert world.leases.holder() == "one", "what isn't held isn't given away"


async def test_a_process_that_slept_knows_at_once_that_it_lost() -> None:
    world = World()
    lease = world.replica("one")
    await acquired(world, lease)
    world.time.now += 30  # stopped and continued: no timer has run yet
    assert not lease.held
    await lease.release()


async def test_a_lost_answer_to_a_renewal_is_no_loss() -> None:
    world = World()
    lease = world.replica("one")
    await acquired(world, lease)
    world.leases.lose_answers = True
    await world.time.pass_(6)
    world.leases.lose_answers = False
    await world.time.pass_(30)
    assert lease.held
    await lease.release()


async def test_a_lease_that_was_taken_from_us_is_lost() -> None:
    world = World()
    lease = world.replica("one")
    await acquired(world, lease)
    assert world.leases.lease is not None
    world.leases.lease["spec"]["holderIdentity"] = "thief"
    world.leases.version += 1
    world.leases.lease["metadata"]["resourceVersion"] = str(world.leases.version)
    await world.time.pass_(8)
    assert lease.lost.is_set()
    assert lease.holder == "thief"
    await lease.release()
    assert world.leases.holder() == "thief"


async def test_a_released_lease_is_taken_at_once() -> None:
    world = World()
    first, second = world.replica("one"), world.replica("two")
    await acquired(world, first)
    await first.release()
    assert world.leases.holder() == ""
    await _within(world, second.acquire(), 0.1)
    assert world.leases.lease is not None
    assert world.leases.lease["spec"]["leaseTransitions"] == 1
    await second.release()


async def test_a_missing_right_is_waited_out() -> None:
    world = World()
    lease = world.replica("one")
    failures: list[ReactorError] = [Terminal("forbidden", status=403), Conflict("409")]
    allowed: Callable[..., Awaitable[Response]] = world.leases.request

    async def refused(method: str, path: str, body: bytes | None) -> Response:
        if failures:
            raise failures.pop()
        return await allowed(method, path, body)

    world.leases.request = refused  # type: ignore[method-assign]  # a fault of this test
    await acquired(world, lease)
    assert lease.held
    await lease.release()
