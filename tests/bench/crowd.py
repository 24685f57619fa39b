"""All who read an audit log at once, over the admin port, until they are told to stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import cycle

import aiohttp
import msgspec

from tests.bench import workload

READERS = 8
_PART = 1 << 16
_WAIT = 0.05


class Told(msgspec.Struct):
    """What they did: ``answers`` to short questions, ``turned_away`` of them with a 503, and of how
    many rows the ``proofs`` that ended were, in so many seconds.
    """

    answers: int = 0
    turned_away: int = 0
    exported: int = 0
    proofs: int = 0
    proved: int = 0
    seconds: float = 0.0


def questions(splits: int) -> list[str]:
    """Pages of the log under some filters, the splits, and the past of some."""
    found = [
        "entries",
        "entries?order=oldest",
        "splits",
        "entries?kind=synced&outcome=failed",
        "entries?text=timed",
        "entries?actor=failover",
        "entries?namespace=team-7&kind=translated",
    ]
    for number in range(0, 4000, 499):
        name = f"team-{number % 200}", f"web-{number // 200}"
        found.append("splits/" + "/".join(name))
        found.append("profiles/{}/{}".format(*name))
    for index in range(0, splits, max(1, splits // 8)):
        name = workload.namespace(index), workload.service(index)
        found.append("splits/" + "/".join(name))
        found.append("entries?namespace={}&split={}".format(*name))
    return found


@asynccontextmanager
async def reading(url: str, *, splits: int) -> AsyncIterator[Told]:
    """One export and one proof after the other, and 8 readers; they end with the block."""
    told = Told()
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=60.0)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        asyncio.TaskGroup() as group,
    ):
        api = f"{url}/api/v1"
        asked = questions(splits)
        tasks = [
            group.create_task(_again(lambda: _export(session, f"{api}/export", told))),
            group.create_task(_again(lambda: _verify(session, f"{api}/verify", told))),
        ]
        for number in range(READERS):
            mine = cycle(asked[number:] + asked[:number])
            tasks.append(group.create_task(_read(session, api, mine, told)))
        yield told
        for task in tasks:
            task.cancel()


async def _again(call: Callable[[], Awaitable[None]]) -> None:
    while True:
        await call()


async def _read(session: aiohttp.ClientSession, api: str, asked: Iterator[str], told: Told) -> None:
    for question in asked:
        await _ask(session, f"{api}/{question}", told)


async def _export(session: aiohttp.ClientSession, url: str, told: Told) -> None:
    async with session.get(url) as answer:
        if answer.status != 200:
            raise RuntimeError(f"{url}: {answer.status} {await answer.text()}")
        while part := await answer.content.read(_PART):
            told.exported += len(part)


async def _verify(session: aiohttp.ClientSession, url: str, told: Told) -> None:
    began = time.monotonic()
    async with session.get(url) as answer:
        verdict = await answer.json()
    if not verdict.get("proved"):
        raise RuntimeError(f"{url}: {verdict}")
    told.proofs += 1
    told.proved += verdict["rows"]
    told.seconds += time.monotonic() - began


async def _ask(session: aiohttp.ClientSession, url: str, told: Told) -> None:
    async with session.get(url) as answer:
        text = await answer.text()
    if answer.status == 503:
        told.turned_away += 1
        await asyncio.sleep(_WAIT)
    elif answer.status != 200:
        raise RuntimeError(f"{url}: {answer.status} {text}")
    else:
        told.answers += 1
