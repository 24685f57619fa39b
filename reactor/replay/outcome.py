"""The profiles at the end against those recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import msgspec

from reactor.model.serviceprofile import Override, ServiceProfile, same

Named = tuple[str, str]
_LOOK: Final = 0.1
"""Seconds between two looks at a profile that isn't as recorded yet."""


class Looks(Protocol):
    """A Stage, as far as it is needed here."""

    async def profile(self, namespace: str, name: str) -> ServiceProfile | None:
        """A profile as it is now."""
        ...


class Apart(msgspec.Struct, frozen=True):
    """A profile that isn't as recorded; None where there is no such profile."""

    namespace: str
    profile: str
    recorded: tuple[Override, ...] | None
    now: tuple[Override, ...] | None


async def compared(
    stage: Looks,
    recorded: Mapping[Named, tuple[Override, ...] | None],
    *,
    patience: float,
    clock: Callable[[], float],
) -> list[Apart]:
    """Those that differ, after ``patience`` seconds for the adaptor to get there."""
    until = clock() + patience
    left = sorted(recorded)
    while True:
        apart = []
        for namespace, name in left:
            live = await stage.profile(namespace, name)
            now = None if live is None else live.overrides or ()
            wanted = recorded[namespace, name]
            if not _alike(wanted, now):
                apart.append(Apart(namespace, name, wanted, now))
        if not apart or clock() >= until:
            return apart
        left = [(one.namespace, one.profile) for one in apart]
        await asyncio.sleep(_LOOK)


def _alike(recorded: tuple[Override, ...] | None, now: tuple[Override, ...] | None) -> bool:
    if recorded is None or now is None:
        return recorded is now
    return same(recorded, now)
