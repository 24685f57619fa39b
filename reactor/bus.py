"""Typed publish and subscribe inside the process."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

E = TypeVar("E")
Subscriber = Callable[[E], Awaitable[None]]

_log = logging.getLogger(__name__)


class Bus:
    """Subscribers of an event's exact type run one after another, in order of subscription.

    An error of one neither stops the next nor is swallowed: what is recorded must be scheduled
    too, and whoever publishes has to know that not all of it worked. So each error is logged
    with its subscriber's name, the others run, and then `publish` raises it: one error as it
    is, several as an `ExceptionGroup`. A cancellation stops at once.
    """

    def __init__(self) -> None:
        self._subscribers: dict[type[Any], tuple[Subscriber[Any], ...]] = {}

    def subscribe(self, event_type: type[E], subscriber: Subscriber[E]) -> None:
        """Calls ``subscriber`` with every event of exactly this type, after earlier ones."""
        self._subscribers[event_type] = (*self._subscribers.get(event_type, ()), subscriber)

    async def publish(self, event: object) -> None:
        """Returns when every subscriber has; raises what they raised. No subscriber: nothing."""
        errors: list[Exception] = []
        for subscriber in self._subscribers.get(type(event), ()):
            try:
                await subscriber(event)
            except Exception as error:
                _log.error(
                    "%s failed on %s: %s: %s",
                    _name(subscriber),
                    type(event).__name__,
                    type(error).__name__,
                    error,
                    exc_info=_log.isEnabledFor(logging.DEBUG),
                )
                errors.append(error)
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise ExceptionGroup(f"{len(errors)} subscribers of {type(event).__name__}", errors)


def _name(subscriber: Subscriber[Any]) -> str:
    module = getattr(subscriber, "__module__", type(subscriber).__module__)
    return f"{module}.{getattr(subscriber, '__qualname__', type(subscriber).__qualname__)}"
