"""A small log with a bit of everything: runs that ended and that crashed, and a purge."""

from __future__ import annotations

from pathlib import Path

from reactor.audit.journal import Journal
from reactor.model.meta import Document
from tests.unit.audit.logs import crash, document, entry, eventually, journal, rows

_DAY = 86_400_000_000


class Clock:
    """A wall clock that tests turn: microseconds."""

    def __init__(self) -> None:
        self.now = 100 * _DAY

    def __call__(self) -> int:
        return self.now


async def write(path: Path) -> None:
    """Five runs. The first is gone, and half of the second, which crashed with a decision open
    that the third one settles. The third one and the fifth crash too.
    """
    clock = Clock()
    first = await _opened(path, clock)
    await _changes(first, clock, "first", 6)
    await first.close()
    second = await _opened(path, clock)
    await _changes(second, clock, "old", 3)
    clock.now += 29 * _DAY
    await _changes(second, clock, "kept", 4)
    second.append(entry(name="open", at=clock.now, reconcile="open", documents=_both("open")))
    assert await second.commit()
    await crash(second)
    clock.now += 2 * _DAY
    third = await _opened(path, clock)
    await eventually(lambda: rows(path, "SELECT count(*) FROM runs") == [(2,)])
    third.append(entry("synced", "open", at=clock.now, reconcile="open", outcome="interrupted"))
    await _changes(third, clock, "third", 4)
    await crash(third)
    fourth = await _opened(path, clock)
    await _changes(fourth, clock, "fourth", 4)
    await fourth.close()
    fifth = await _opened(path, clock)
    await _changes(fifth, clock, "fifth", 4)
    await crash(fifth)


async def _opened(path: Path, clock: Clock) -> Journal:
    log = journal(path, clock=clock)
    await log.open()
    return log


async def _changes(log: Journal, clock: Clock, name: str, count: int) -> None:
    for number in range(count):
        clock.now += 1_000_000
        key = f"{name}-{number}"
        log.append(
            entry(
                name=key,
                at=clock.now,
                split="web-split",
                actor="kubectl",
                reconcile=key,
                resource_version=str(number),
                documents=_both(key),
            )
        )
        log.append(entry("synced", key, at=clock.now, reconcile=key, outcome="patched"))
    assert await log.commit()


def _both(name: str) -> tuple[Document, ...]:
    return document(name), document("shared")
