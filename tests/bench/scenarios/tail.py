"""Following the log while 8 writers change splits: what is lost, what is doubled, how late."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec

from tests.bench import samples
from tests.bench.bed import Bed
from tests.bench.command import Load
from tests.bench.figure import Figure
from tests.bench.follower import Follower, Form
from tests.bench.logfile import Logfile
from tests.bench.setting import Setting

_SPLITS = 200
_WRITERS = 8
_FORMS: tuple[Form, ...] = ("sse", "sse", "sse", "ndjson")
_CUTS = 100
_LIMIT = 50.0
_PATIENCE = 30.0


class _Told(msgspec.Struct):
    """What one run comes to: numbers of rows, and milliseconds.

    ``late``: from a row's own time to a client; ``committed``: to the file; ``after``: from there
    to a client.
    """

    rows: int = 0
    lost: int = 0
    wrong: int = 0
    late: list[float] = []
    committed: list[float] = []
    after: list[float] = []


def run(setting: Setting) -> list[Figure]:
    """Three readers of events and one of lines; their connections are cut 100 times in all."""
    seconds = min(setting.seconds / 3, 20.0)
    runs: list[_Told] = []
    with Bed(setting.directory, environment=setting.environment, splits=_SPLITS) as bed:
        bed.expect()
        bed.adaptor.start(forget=True)
        bed.expected()
        bed.adaptor.settle()
        for _ in range(setting.runs):
            bed.generation += 100
            runs.append(asyncio.run(_run(bed, seconds)))
        bed.adaptor.stop()
    committed = [samples.percentile(told.committed, 99) for told in runs]
    middle = samples.median([samples.median(told.late) for told in runs])
    rows = sum(told.rows for told in runs)
    return [
        Figure.of(
            "tail: rows lost",
            "",
            [told.lost for told in runs],
            limit=0.0,
            rule="0",
            note=f"{rows} rows by {_WRITERS} writers, {len(_FORMS)} clients, {_CUTS} cuts a run",
        ),
        Figure.of(
            "tail: rows doubled or out of order",
            "",
            [told.wrong for told in runs],
            limit=0.0,
            rule="0",
        ),
        Figure.of(
            "tail: commit to client, p99",
            "ms",
            [samples.percentile(told.after, 99) for told in runs],
            limit=_LIMIT,
            rule=f"{_LIMIT:.0f} ms",
            note="from when a program that looks each 2 ms finds the row in the file",
        ),
        Figure.of(
            "tail: row to client, p99",
            "ms",
            [samples.percentile(told.late, 99) for told in runs],
            raw=committed,
            limit=_LIMIT,
            rule=f"{_LIMIT:.0f} ms",
            note=f"from the row's own time, before its commit; p50 {middle:.1f} ms; raw ends "
            "when the row is in the file; for rows that came while the client was connected",
        ),
    ]


async def _run(bed: Bed, seconds: float) -> _Told:
    load = Load(
        duration=seconds,
        rate=0.0,
        among=_SPLITS,
        generation=bed.generation,
        in_flight=_WRITERS,
    )
    with Logfile(bed.adaptor.log) as log:
        async with _followers(bed.adaptor.url) as followers, asyncio.TaskGroup() as group:
            looking = group.create_task(log.follow())
            cutting = group.create_task(_cut(followers, seconds))
            await asyncio.to_thread(bed.writer.call, load)
            await cutting
            newest = await log.rest()
            looking.cancel()
            async with asyncio.timeout(_PATIENCE):
                for follower in followers:
                    await follower.reach(newest)
        return _compared(followers, log)


def _compared(followers: list[Follower], log: Logfile) -> _Told:
    """Each client began before the first of the log's rows came."""
    told = _Told(rows=len(log.came))
    told.committed = [1000 * (there - at) for at, there in log.came.values()]
    for follower in followers:
        seen = [row.id for row in follower.rows]
        counts = Counter(seen)
        told.lost += len(log.came.keys() - counts.keys())
        told.wrong += len(seen) - len(counts)
        told.wrong += list(counts) != [row for row in log.came if row in counts]
        for row in follower.rows:
            at, there = log.came[row.id]
            if at >= row.began:
                told.late.append(1000 * (row.at - at))
                told.after.append(1000 * (row.at - there))
    return told


async def _cut(followers: list[Follower], seconds: float) -> None:
    """Spread over the middle of the load, so that rows come before the first and after the last."""
    await asyncio.sleep(seconds / 5)
    for number in range(_CUTS):
        followers[number % len(followers)].cut()
        await asyncio.sleep(seconds * 0.6 / _CUTS)


@asynccontextmanager
async def _followers(url: str) -> AsyncIterator[list[Follower]]:
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10.0)
    async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as group:
        followers = [Follower(session, url=url, form=form) for form in _FORMS]
        tasks = [group.create_task(follower.run()) for follower in followers]
        for follower in followers:
            await follower.on.wait()
        yield followers
        for task in tasks:
            task.cancel()
