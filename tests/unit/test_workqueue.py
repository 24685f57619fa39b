"""The work queue: examples as sentences, then any interleaving against a plain model."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from reactor.workqueue import Backoff, WorkQueue
from tests.unit.virtual_time import VirtualTime


def a_queue(time: VirtualTime, random: float = 0.5) -> WorkQueue[str]:
    return WorkQueue(clock=time.now, call_later=time.call_later, random_=lambda: random)


async def test_keys_come_in_the_order_in_which_they_were_added() -> None:
    time = VirtualTime()
    queue = a_queue(time)
    queue.add("a")
    time.advance(1)
    queue.add("b")
    assert await queue.get() == ("a", 1000.0)
    assert await queue.get() == ("b", 1001.0)


async def test_a_key_added_twice_comes_once_with_the_earliest_time() -> None:
    queue = a_queue(VirtualTime())
    queue.add("a", 990.0)
    queue.add("a", 980.0)
    queue.add("a", 999.0)
    assert len(queue) == 1
    assert await queue.get() == ("a", 980.0)
    assert len(queue) == 0


async def test_a_key_in_work_is_not_given_to_a_second_worker_but_again_after_done() -> None:
    time = VirtualTime()
    queue = a_queue(time)
    queue.add("a")
    await queue.get()
    time.advance(2)
    queue.add("a")
    second = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    assert not second.done()
    assert len(queue) == 1
    queue.done("a")
    assert await second == ("a", 1002.0)


async def test_a_key_that_nobody_added_meanwhile_is_gone_after_done() -> None:
    queue = a_queue(VirtualTime())
    queue.add("a")
    await queue.get()
    queue.done("a")
    assert len(queue) == queue.working == queue.delayed == 0


async def test_a_delayed_key_comes_when_it_is_due_and_its_age_begins_there() -> None:
    time = VirtualTime()
    queue = a_queue(time)
    queue.add_after("a", 5)
    time.advance(4.9)
    assert len(queue) == 0
    assert queue.delayed == 1
    time.advance(1)
    assert queue.delayed == 0
    assert await queue.get() == ("a", 1005.0)


async def test_of_several_delays_the_shortest_holds() -> None:
    time = VirtualTime()
    queue = a_queue(time)
    queue.add_after("a", 5)
    queue.add_after("a", 50)
    queue.add_after("a", 2)
    time.advance(2)
    assert await queue.get() == ("a", 1002.0)
    queue.done("a")
    time.advance(100)
    assert len(queue) == 0


async def test_an_immediate_add_overrides_a_delay() -> None:
    time = VirtualTime()
    queue = a_queue(time)
    queue.add_after("a", 60)
    queue.add("a")
    assert await queue.get() == ("a", 1000.0)
    queue.done("a")
    time.advance(100)
    assert len(queue) == 0


async def test_a_key_that_falls_due_while_in_work_waits_for_done() -> None:
    time = VirtualTime()
    queue = a_queue(time)
    queue.add("a")
    await queue.get()
    queue.add_after("a", 1)
    time.advance(1)
    assert len(queue) == 1
    queue.done("a")
    assert await queue.get() == ("a", 1001.0)


async def test_failures_wait_longer_each_time_until_forgotten() -> None:
    queue = a_queue(VirtualTime(), random=0.5)
    assert [queue.retry("a") for _ in range(4)] == [0.1, 0.2, 0.4, 0.8]
    assert queue.failures("a") == 4
    assert queue.retry("b") == 0.1
    queue.forget("a")
    assert queue.failures("a") == 0
    assert queue.retry("a") == 0.1


def test_the_backoff_is_jittered_capped_and_never_overflows() -> None:
    backoff = Backoff(base=0.2, factor=2, cap=60, floor=0.005)
    assert backoff.delay(0, 0.0) == 0.005
    assert backoff.delay(10**9, 0.999) == pytest.approx(59.94)


async def test_a_waiting_worker_is_woken_by_an_add_and_by_a_delay() -> None:
    time = VirtualTime()
    queue = a_queue(time)
    first = asyncio.ensure_future(queue.get())
    second = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    queue.add("a")
    assert (await first)[0] == "a"
    queue.add_after("b", 1)
    time.advance(1)
    assert (await second)[0] == "b"


async def test_a_worker_cancelled_after_it_was_woken_leaves_the_key_to_another() -> None:
    queue = a_queue(VirtualTime())
    first = asyncio.ensure_future(queue.get())
    second = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    queue.add("a")
    first.cancel()
    assert (await second)[0] == "a"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_worker_cancelled_while_it_waits_is_forgotten() -> None:
    queue = a_queue(VirtualTime())
    waiter = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    queue.add("a")
    assert (await queue.get())[0] == "a"


async def test_the_oldest_age_is_that_of_what_waits_longest() -> None:
    time = VirtualTime()
    queue = a_queue(time)
    assert queue.oldest_age == 0.0
    queue.add("a")
    time.advance(3)
    queue.add("b")
    assert queue.oldest_age == 3.0
    await queue.get()
    assert queue.oldest_age == 0.0
    queue.add("a", 990.0)
    assert queue.oldest_age == 13.0


async def test_stale_delays_do_not_pile_up() -> None:
    time = VirtualTime()
    queue = a_queue(time)
    for _ in range(10_000):
        queue.add_after("a", 60)
        queue.add("a")
        await queue.get()
        queue.done("a")
    assert time.timers <= 1
    assert len(queue._heap) < 100


async def test_it_runs_on_the_clock_and_the_timers_of_the_loop_by_default() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add_after("a", 0.01)
    queue.add_after("b", 0.002)
    assert [(await asyncio.wait_for(queue.get(), 10))[0] for _ in range(2)] == ["b", "a"]


class Interleavings(RuleBasedStateMachine):
    """Whatever is called in whatever order: no key is lost, doubled, early or late."""

    keys = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self.time = VirtualTime(0.0)
        self.queue: WorkQueue[str] = WorkQueue(
            clock=self.time.now, call_later=self.time.call_later, random_=lambda: 0.5
        )
        self.waiting: dict[str, float] = {}
        self.delayed: dict[str, float] = {}
        self.working: set[str] = set()
        self.failed: dict[str, int] = {}

    @initialize(target=keys, name=st.just("first"))
    def first(self, name: str) -> str:
        return name

    @rule(target=keys, name=st.sampled_from("abcd"))
    def a_key(self, name: str) -> str:
        return name

    @rule(key=keys, age=st.integers(0, 5))
    def add(self, key: str, age: int) -> None:
        at = self.time.now() - age
        self.queue.add(key, at)
        self.delayed.pop(key, None)
        self.waiting[key] = min(at, self.waiting.get(key, at))

    @rule(key=keys, delay=st.integers(1, 20))
    def add_after(self, key: str, delay: int) -> None:
        self.queue.add_after(key, delay)
        self._expect_delayed(key, self.time.now() + delay)

    @rule(key=keys)
    def retry(self, key: str) -> None:
        delay = self.queue.retry(key)
        self.failed[key] = self.failed.get(key, 0) + 1
        assert delay == min(60.0, 0.2 * 2 ** (self.failed[key] - 1)) * 0.5
        self._expect_delayed(key, self.time.now() + delay)

    @rule(key=keys)
    def forget(self, key: str) -> None:
        self.queue.forget(key)
        self.failed.pop(key, None)

    @rule(seconds=st.integers(0, 30))
    def time_passes(self, seconds: int) -> None:
        self.time.advance(seconds)
        for key, due in sorted(self.delayed.items(), key=lambda item: item[1]):
            # One tick may be missing: a timer is never set for less than a millisecond.
            if due <= self.time.now() - 0.001:
                del self.delayed[key]
                self.waiting[key] = due
            elif due <= self.time.now():
                self.time.advance(0.002)
                del self.delayed[key]
                self.waiting[key] = due

    @rule()
    def work(self) -> None:
        taken = _now_or_never(self.queue)
        free = self.waiting.keys() - self.working
        if taken is None:
            assert not free
            return
        key, since = taken
        assert key in free
        assert since == self.waiting.pop(key)
        self.working.add(key)

    @rule(key=keys)
    def finish(self, key: str) -> None:
        self.queue.done(key)
        self.working.discard(key)

    @invariant()
    def counts_agree(self) -> None:
        assert len(self.queue) == len(self.waiting)
        assert self.queue.delayed == len(self.delayed)
        assert self.queue.working == len(self.working)
        oldest = min(self.waiting.values(), default=self.time.now())
        assert self.queue.oldest_age == self.time.now() - oldest

    def teardown(self) -> None:
        """In the end everything that was asked for is handed out."""
        self.time.advance(100)
        expected = self.waiting.keys() | self.delayed.keys()
        for key in self.working:
            self.queue.done(key)
        handed = set()
        while (taken := _now_or_never(self.queue)) is not None:
            handed.add(taken[0])
        assert handed == expected

    def _expect_delayed(self, key: str, due: float) -> None:
        if key not in self.waiting:
            self.delayed[key] = min(due, self.delayed.get(key, due))


def _now_or_never(queue: WorkQueue[str]) -> tuple[str, float] | None:
    if not queue._ready:
        return None
    coroutine = queue.get()
    try:
        coroutine.send(None)
    except StopIteration as stop:
        taken: tuple[str, float] = stop.value
        return taken
    raise AssertionError("a ready key was not handed out at once")


TestInterleavings = Interleavings.TestCase
