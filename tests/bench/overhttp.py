"""Questions to a log through the admin port, as its clients ask them: from another process."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import msgspec
import uvloop

from reactor.admin import moment
from reactor.audit.query import Reader
from tests.bench.questions import ENDS, Listing
from tests.cluster.crds import REPOSITORY
from tests.unit.admin import parts

Parameters = dict[str, str]


def ask(path: Path, listings: Sequence[Listing]) -> list[float]:
    """Milliseconds until each answer has come, one after the other on one connection."""
    return uvloop.run(_served(path, [_parameters(listing) for listing in listings]))


async def _served(path: Path, asked: Sequence[Parameters]) -> list[float]:
    server = parts.server(Reader(url=str(path)))
    await server.start()
    try:
        client = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.overhttp", str(server.port)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=REPOSITORY,
        )
        try:
            text, _ = await client.communicate(msgspec.json.encode(asked))
        finally:
            if client.returncode is None:
                client.kill()
                await client.wait()
        if client.returncode:
            raise RuntimeError("the client failed; what it said is above")
        return msgspec.json.decode(text, type=list[float])
    finally:
        await server.stop()


async def _ask(port: int, asked: Sequence[Parameters]) -> list[float]:
    taken = []
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        for parameters in asked:
            began = time.perf_counter()
            async with session.get("/api/v1/entries", params=parameters) as answer:
                await answer.read()
                answer.raise_for_status()
            taken.append(1000 * (time.perf_counter() - began))
    return taken


def _parameters(listing: Listing) -> Parameters:
    filters = listing.filters
    given = {name: getattr(filters, name) for name in filters.given()}
    for name in {"since", "until"} & given.keys():
        given[name] = moment.text(given[name])
    cursor = listing.cursor(ENDS)
    return {**given, "order": listing.order, **({} if cursor is None else {"cursor": cursor})}


if __name__ == "__main__":
    questions = msgspec.json.decode(sys.stdin.buffer.read(), type=list[Parameters])
    answers = uvloop.run(_ask(int(sys.argv[1]), questions))
    sys.stdout.buffer.write(msgspec.json.encode(answers))
