"""Events: counted up, filtered, bounded, and never in anyone's way; in virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from reactor.errors import Conflict, ReactorError, Retryable, Terminal
from reactor.kube.connection import Response
from reactor.kube.recorder import Recorder

from .objects import decoded


class Events:
    """The API server's side: Events by name."""

    def __init__(self) -> None:
        self.events: dict[str, dict[str, Any]] = {}
        self.requests: list[str] = []
        self.faults: list[ReactorError] = []

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        content_type: str | None = None,
        **rest: object,
    ) -> Response:
        await asyncio.sleep(0)
        self.requests.append(method)
        if self.faults:
            raise self.faults.pop(0)
        assert body is not None
        sent = json.loads(body)
        if method == "POST":
            assert path == "/api/v1/namespaces/ns/events"
            self.events[sent["metadata"]["name"]] = sent
        else:
            name = path.rpartition("/")[2]
            if name not in self.events:
                raise Conflict("404", status=404)
            assert content_type == "application/merge-patch+json"
            self.events[name].update(sent)
        return Response(200, {}, b"{}")

    def told(self) -> list[tuple[str, str, int]]:
        return [(e["reason"], e["message"], e["count"]) for e in self.events.values()]


class World:
    def __init__(self) -> None:
        self.server = Events()
        self.now = 1_800_000_000.0
        self.slept: list[float] = []
        self.wrote = float("-inf")
        self.recorder = Recorder(
            connection=self.server,
            rested=lambda: max(0.0, self.now - self.wrote),
            clock=lambda: self.now,
            now=self.tick,
            sleep=self.sleep,
            capacity=100,
        )

    def tick(self) -> float:
        self.now += 1e-6
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    async def sent(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        async with asyncio.timeout(45):
            while len(self.recorder):  # noqa: ASYNC110 - the queue tells no event
                await asyncio.sleep(0)
        for _ in range(50):
            await asyncio.sleep(0)


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    found = World()
    running = asyncio.create_task(found.recorder.run())
    try:
        yield found
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_an_event_looks_as_the_go_adaptor_wrote_it() -> None:
    async with world() as found:
        found.recorder.event(decoded(version=7), "Normal", "Created", "Created Service Profile web")
        await found.sent()
        ((name, event),) = found.server.events.items()
    assert name.startswith("web-split.")
    assert event == {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": "ns"},
        "involvedObject": {
            "apiVersion": "split.smi-spec.io/v1alpha4",
            "kind": "TrafficSplit",
            "namespace": "ns",
            "name": "web-split",
            "uid": "uid-1",
            "resourceVersion": "7",
        },
        "type": "Normal",
        "reason": "Created",
        "message": "Created Service Profile web",
        "source": {"component": "smi-controller"},
        "reportingComponent": "smi-controller",
        "reportingInstance": "",
        "count": 1,
        "firstTimestamp": "2027-01-15T08:00:00Z",
        "lastTimestamp": "2027-01-15T08:00:00Z",
    }


async def test_repeated_events_count_up_on_one() -> None:
    async with world() as found:
        for _ in range(3):
            found.recorder.event(decoded(), "Normal", "Updated", "Updated it")
            await found.sent()
        found.recorder.event(decoded(), "Warning", "Other", "something else")
        await found.sent()
    assert found.server.told() == [("Updated", "Updated it", 3), ("Other", "something else", 1)]
    assert found.server.requests == ["POST", "PATCH", "PATCH", "POST"]


async def test_what_repeats_while_it_waits_is_one_request() -> None:
    async with world() as found:
        for _ in range(20):
            found.recorder.event(decoded(), "Normal", "Updated", "Updated it")
        await found.sent()
    assert found.server.told() == [("Updated", "Updated it", 20)]
    assert found.server.requests == ["POST"]


async def test_an_event_that_expired_meanwhile_is_made_anew() -> None:
    async with world() as found:
        found.recorder.event(decoded(), "Normal", "Updated", "it")
        await found.sent()
        found.server.events.clear()
        found.recorder.event(decoded(), "Normal", "Updated", "it")
        await found.sent()
    assert found.server.told() == [("Updated", "it", 1)]


async def test_a_split_may_make_25_at_once_and_then_one_in_five_minutes() -> None:
    async with world() as found:
        for number in range(40):
            found.recorder.event(decoded(), "Normal", "Updated", f"number {number}")
        found.recorder.event(decoded(uid="other"), "Normal", "Updated", "of another split")
        await found.sent()
        assert len(found.server.events) == 26
        assert found.recorder.dropped["spam"] == 15
        found.now += 299
        found.recorder.event(decoded(), "Normal", "Updated", "too early")
        found.now += 2
        found.recorder.event(decoded(), "Normal", "Updated", "in time")
        await found.sent()
    assert ("Updated", "in time", 1) in found.server.told()
    assert ("Updated", "too early", 1) not in found.server.told()


async def test_no_more_than_fifty_a_second_are_sent() -> None:
    async with world() as found:
        started = found.now
        for batch in range(3):
            for number in range(100):
                uid = f"{batch}-{number}"
                found.recorder.event(decoded(uid=uid), "Normal", "Updated", "it")
            await found.sent()
        assert len(found.server.requests) == 300
        assert found.now - started >= 250 / 50 - 0.1


async def test_a_full_queue_drops_and_counts() -> None:
    async with world() as found:
        for number in range(150):
            found.recorder.event(decoded(uid=str(number)), "Normal", "Updated", "it")
        assert len(found.recorder) == 100
        assert found.recorder.dropped["full"] == 50


async def test_a_server_that_is_busy_is_asked_again_when_it_said() -> None:
    async with world() as found:
        found.server.faults = [Retryable("429", status=429, after=9.0), Retryable("503")]
        found.recorder.event(decoded(), "Normal", "Updated", "it")
        await found.sent()
    assert found.server.told() == [("Updated", "it", 1)]
    assert found.slept[0] == 9.0


async def test_what_cannot_be_sent_is_dropped_and_the_next_goes_on() -> None:
    async with world() as found:
        found.server.faults = [Terminal("forbidden", status=403)]
        found.recorder.event(decoded(), "Normal", "Updated", "one")
        found.recorder.event(decoded(), "Normal", "Updated", "two")
        await found.sent()
    assert found.server.told() == [("Updated", "two", 1)]
    assert found.recorder.dropped["failed"] == 1


async def test_an_event_gives_way_to_writes_of_profiles_until_they_rest() -> None:
    async with world() as found:
        began = found.wrote = found.now
        found.recorder.event(decoded(), "Normal", "Created", "Created Service Profile web")
        await found.sent()
    assert found.server.told()
    assert 0.1 <= found.now - began < 1.0


async def test_an_event_waits_no_longer_than_five_seconds_for_writes_that_never_rest() -> None:
    async with world() as found:
        began = found.now
        found.wrote = float("inf")
        found.recorder.event(decoded(), "Normal", "Created", "Created Service Profile web")
        await found.sent()
    assert found.server.told()
    assert 5.0 <= found.now - began < 6.0
