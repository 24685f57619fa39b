"""The bus: order, exact types, and what becomes of errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from reactor.bus import Bus


class Opened:
    pass


class OpenedWide(Opened):
    pass


class Closed:
    pass


Told = list[tuple[str, object]]


def teller(told: Told, name: str) -> Callable[[object], Awaitable[None]]:
    async def tell(event: object) -> None:
        await asyncio.sleep(0)
        told.append((name, event))

    return tell


def failing(error: BaseException) -> Callable[[object], Awaitable[None]]:
    async def fail(event: object) -> None:
        raise error

    return fail


async def test_subscribers_run_one_after_another_in_order_of_subscription() -> None:
    bus, told, event = Bus(), Told(), Opened()
    for name in ("record", "schedule", "measure"):
        bus.subscribe(Opened, teller(told, name))
    await bus.publish(event)
    assert told == [("record", event), ("schedule", event), ("measure", event)]


async def test_an_event_reaches_the_subscribers_of_exactly_its_type() -> None:
    bus, told = Bus(), Told()
    bus.subscribe(Opened, teller(told, "opened"))
    bus.subscribe(Closed, teller(told, "closed"))
    await bus.publish(OpenedWide())
    assert told == []


async def test_an_error_is_logged_by_name_and_raised_after_the_others_ran(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bus, told = Bus(), Told()
    error = OSError("no space left")
    bus.subscribe(Opened, failing(error))
    bus.subscribe(Opened, teller(told, "schedule"))
    with caplog.at_level(logging.ERROR), pytest.raises(OSError, match="no space left") as caught:
        await bus.publish(Opened())
    assert caught.value is error
    assert [name for name, _ in told] == ["schedule"]
    [line] = caplog.messages
    assert "fail failed on Opened: OSError: no space left" in line


async def test_several_errors_are_raised_together() -> None:
    bus = Bus()
    bus.subscribe(Opened, failing(OSError("one")))
    bus.subscribe(Opened, failing(ValueError("two")))
    with pytest.raises(ExceptionGroup) as caught:
        await bus.publish(Opened())
    assert [str(error) for error in caught.value.exceptions] == ["one", "two"]


async def test_a_cancellation_stops_at_once() -> None:
    bus, told = Bus(), Told()
    bus.subscribe(Opened, failing(asyncio.CancelledError()))
    bus.subscribe(Opened, teller(told, "never"))
    with pytest.raises(asyncio.CancelledError):
        await bus.publish(Opened())
    assert told == []
