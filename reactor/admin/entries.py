"""The log over HTTP: its entries, the documents they refer to, and the runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from reactor.admin import filters, moment, question, wire
from reactor.admin.problem import Refused
from reactor.admin.question import Parameter, number, word
from reactor.admin.route import Route
from reactor.audit.chain import Anchor, Verdict
from reactor.audit.query import Filters, Page, Run
from reactor.audit.query.export import Format
from reactor.audit.query.pages import Paged
from reactor.audit.query.stats import Stats
from reactor.audit.row import Row

_SLICE = 100


class Log(Paged, Protocol):
    """Reads the log: ValueError for a cursor that is none, ReactorError when it can't now."""

    async def entry(self, run: str, seq: int) -> Row | None:
        """Return one row, None when there is none."""
        ...

    async def document(self, digest: bytes) -> str | None:
        """Return an object's JSON, None when nothing refers to it any more."""
        ...

    async def documents(self, digests: Sequence[bytes]) -> Mapping[bytes, str]:
        """Return those of them that are there."""
        ...

    def export(self, filters: Filters, form: Format) -> AsyncIterator[bytes]:
        """Give all rows that pass, as text in parts."""
        ...

    async def stats(self) -> Stats:
        """Count."""
        ...

    async def verify(self, *anchors: Anchor) -> Verdict:
        """Prove the whole log."""
        ...

    async def runs(self) -> Sequence[Run]:
        """Return all of them, the newest first."""
        ...


_SEQ = {"type": "integer", "minimum": 1, "maximum": 10**18}
PLACE = (
    filters.RUN,
    Parameter("seq", "Its number in the run.", "1 or more", _SEQ, number(_SEQ)),
)
_DIGEST = {"type": "string", "pattern": r"^[0-9a-f]{64}$"}


def routes(log: Log) -> tuple[Route, ...]:
    """The paths that the log alone answers."""

    async def many(places: Mapping[str, Any], query: bytes, now: int) -> bytes:
        asked = filters.question(query, now=now)
        page = await log.entries(
            asked.filters, limit=asked.limit, order=asked.order, cursor=asked.cursor
        )
        return await _page(page)

    async def one(places: Mapping[str, Any], query: bytes, now: int) -> bytes:
        question.read(query, (), now=now)
        row = await log.entry(places["run"], places["seq"])
        if row is None:
            raise Refused(404, "The log has no such entry: it never had, or retention took it.")
        return msgspec.json.encode(entry(row))

    async def document(places: Mapping[str, Any], query: bytes, now: int) -> bytes:
        question.read(query, (), now=now)
        body = await log.document(bytes.fromhex(places["digest"]))
        if body is None:
            raise Refused(404, "No entry of the log refers to such a document (any more).")
        return body.encode()

    async def runs(places: Mapping[str, Any], query: bytes, now: int) -> bytes:
        question.read(query, (), now=now)
        return msgspec.json.encode(wire.Runs([_run(run) for run in await log.runs()]))

    return (
        Route(
            "/api/v1/entries",
            "Entries of the audit log, newest first.",
            wire.Page,
            many,
            parameters=filters.PARAMETERS,
        ),
        Route(
            "/api/v1/entries/{run}/{seq}",
            "One entry.",
            wire.Entry,
            one,
            places=PLACE,
            missing="There is no such entry, or none any more.",
        ),
        Route(
            "/api/v1/documents/{digest}",
            "An object as it was seen, without its managedFields.",
            dict,
            document,
            places=(
                Parameter(
                    "digest",
                    "SHA-256 of its canonical JSON.",
                    "64 hex digits",
                    _DIGEST,
                    word(_DIGEST),
                ),
            ),
            missing="There is no such document, or none any more.",
        ),
        Route(
            "/api/v1/runs",
            "Every start of the program that the log has rows of, newest first.",
            wire.Runs,
            runs,
        ),
    )


async def _page(page: Page) -> bytes:
    """As JSON, encoded in slices so that the event loop goes on."""
    chunks: list[bytes] = []
    for start in range(0, len(page.entries), _SLICE):
        chunks += [msgspec.json.encode(entry(row)) for row in page.entries[start : start + _SLICE]]
        await asyncio.sleep(0)
    return b'{"entries":[%b],"next":%b,"previous":%b,"partial":%b}' % (
        b",".join(chunks),
        msgspec.json.encode(page.next),
        msgspec.json.encode(page.previous),
        msgspec.json.encode(page.partial),
    )


def entry(row: Row) -> wire.Entry:
    return wire.Entry(
        run=row.run,
        seq=row.seq,
        at=moment.text(row.at),
        kind=row.kind,
        namespace=row.namespace,
        split=row.split,
        service=row.service,
        outcome=row.outcome,
        actor=row.actor,
        reconcile=row.reconcile,
        resource_version=row.resource_version,
        detail=msgspec.Raw(row.detail.encode()),
        documents=tuple(digest.hex() for digest in row.digests),
        hash=row.hash.hex(),
    )


def _run(run: Run) -> wire.Run:
    return wire.Run(
        id=run.id,
        started=moment.text(run.started),
        ended=None if run.ended is None else moment.text(run.ended),
        version=run.version,
        host=run.host,
        settings=msgspec.Raw(run.settings.encode()),
        cluster_domain=run.cluster_domain,
        first=run.first,
        last=run.last,
    )
