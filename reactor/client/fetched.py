"""Part of a log that lies elsewhere, fetched into a file for one that reads it again and again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Final

import msgspec

from reactor.admin import moment, wire
from reactor.audit.query import Run
from reactor.audit.query.batches import Recorded
from reactor.audit.query.excerpt import Excerpt
from reactor.client.log import Log
from reactor.client.once import Once
from reactor.client.port import Query
from reactor.errors import Fatal, Retryable

_AT_ONCE: Final = 1 << 20
"""Bytes of the text that are in memory, about, and as rows."""


class Line(msgspec.Struct):
    """A row, a document, or the last one, which says whether all came."""

    run: str = ""
    seq: int = 0
    at: str = ""
    kind: str = ""
    namespace: str | None = None
    split: str | None = None
    service: str | None = None
    actor: str | None = None
    resource_version: str | None = None
    detail: msgspec.Raw = msgspec.Raw()
    documents: tuple[str, ...] = ()
    document: str = ""
    object: msgspec.Raw = msgspec.Raw()
    export: str = ""
    problem: str = ""


class Fetched(msgspec.Struct, frozen=True):
    """How many rows are in the file; ``problem``: why some may be missing."""

    rows: int
    problem: str | None


_line = msgspec.json.Decoder(Line).decode


async def fetched(
    log: Log,
    query: Query,
    path: Path,
    *,
    once: Callable[[Sequence[Run]], Once] | None = None,
    progress: Callable[[int], None],
) -> Fetched:
    """All rows that pass, with their documents, as a log's file. Raises ReactorError.

    ``once``: in order to do again what happened, of what several replicas saw one row is enough.
    """
    runs = [_run(run) for run in await log.runs()]
    sieve = once(runs) if once is not None else None
    with Excerpt(path) as excerpt:
        excerpt.add_runs(runs)
        async with aclosing(log.export(query, "bundle")) as parts:
            return await _fill(excerpt, _lines(parts), sieve, progress)


async def _fill(
    excerpt: Excerpt,
    lines: AsyncIterator[bytes],
    sieve: Once | None,
    progress: Callable[[int], None],
) -> Fetched:
    rows: list[Recorded] = []
    documents: list[tuple[bytes, str]] = []
    count = size = 0
    last: Line | None = None
    async for text in lines:
        line = last = _read(text)
        size += len(text)
        if line.document:
            documents.append((bytes.fromhex(line.document), bytes(line.object).decode()))
        elif line.run:
            at = moment.parse(line.at, now=0)
            if sieve is None or sieve.wanted(line, at):
                count += 1
                rows.append(_row(line, count, at))
        if size >= _AT_ONCE:
            excerpt.add(rows, documents)
            rows, documents, size = [], [], 0
            progress(count)
    if last is None or not last.export:
        raise Retryable("the log ceased to answer before all of it was here; run it again")
    excerpt.add(rows, documents)
    return Fetched(count, last.problem or None)


def _read(text: bytes) -> Line:
    try:
        return _line(text)
    except msgspec.MsgspecError as error:
        raise Fatal(f"the log's answer can't be read: {error}") from error


async def _lines(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    rest = b""
    async for part in parts:
        *whole, rest = (rest + part).split(b"\n")
        for line in whole:
            yield line
    if rest:
        yield rest


def _row(line: Line, position: int, at: int) -> Recorded:
    return Recorded(
        position=position,
        run=line.run,
        seq=line.seq,
        at=at,
        kind=line.kind,
        namespace=line.namespace,
        split=line.split,
        service=line.service,
        actor=line.actor,
        detail=bytes(line.detail).decode(),
        documents=bytes.fromhex("".join(line.documents)),
    )


def _run(run: wire.Run) -> Run:
    return Run(
        id=run.id,
        started=moment.parse(run.started, now=0),
        ended=None if run.ended is None else moment.parse(run.ended, now=0),
        version=run.version,
        host=run.host,
        settings=bytes(run.settings).decode(),
        cluster_domain=run.cluster_domain,
        first=run.first,
        last=run.last,
    )
