"""Small real parts for the admin port: a log in memory, a table of tokens, a list of reasons."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence

from prometheus_client import CollectorRegistry

from reactor.admin import access
from reactor.admin.limits import Limits
from reactor.admin.pages.session import Sessions
from reactor.admin.pages.signin import SignIn
from reactor.admin.server import Server
from reactor.audit.chain import Anchor, Verdict
from reactor.audit.feed import Feed
from reactor.audit.query import Filters, Order, Page, Reader, Run
from reactor.audit.query.cursor import Cursor
from reactor.audit.query.export import Format, tail
from reactor.audit.query.stats import Stats
from reactor.audit.row import Row
from reactor.handlers.overview import SplitState
from reactor.translate.state import State

RUN = "01890a5d-ac96-774b-bcce-b302099a8057"


class MemoryLog:
    """A log that holds these rows, oldest first; it knows kinds and no other filter."""

    def __init__(self, rows: Sequence[Row] = (), documents: Mapping[bytes, str] | None = None):
        self._rows = rows
        self._documents = documents or {}

    async def entries(
        self,
        filters: Filters,
        *,
        limit: int = 100,
        order: Order = "newest",
        cursor: str | None = None,
    ) -> Page:
        """Return the newest rows below the cursor."""
        below = Cursor.parse(cursor).position if cursor else None
        fits = [
            row
            for row in reversed(self._rows)
            if (below is None or row.position < below) and filters.kind in (None, row.kind)
        ]
        last = fits[limit - 1] if len(fits) > limit else None
        return Page(
            tuple(fits[:limit]),
            str(Cursor(last.position, above=False)) if last else None,
            str(Cursor(fits[0].position, above=True)) if fits else None,
        )

    def behind(self) -> NothingNew:
        """Follow it."""
        return NothingNew()

    async def entry(self, run: str, seq: int) -> Row | None:
        """Return the row."""
        return next((row for row in self._rows if (row.run, row.seq) == (run, seq)), None)

    async def document(self, digest: bytes) -> str | None:
        """Return the document."""
        return self._documents.get(digest)

    async def documents(self, digests: Sequence[bytes]) -> Mapping[bytes, str]:
        """Return those that are there."""
        return {d: self._documents[d] for d in digests if d in self._documents}

    async def export(self, filters: Filters, form: Format) -> AsyncIterator[bytes]:
        """Give nothing but the last line."""
        yield tail(form, 0, None).encode()

    async def stats(self) -> Stats:
        """Count the rows."""
        return Stats(len(self._rows), 0, 0, 0, 1, None, None, ())

    async def verify(self, *anchors: Anchor) -> Verdict:
        """Believe it."""
        return Verdict(len(self._rows))

    async def runs(self) -> Sequence[Run]:
        """Return the one run."""
        if not self._rows:
            return []
        first, last = self._rows[0], self._rows[-1]
        return [
            Run(RUN, first.at, None, "1.2.3", "node", "{}", "cluster.local", first.seq, last.seq)
        ]


class NothingNew:
    """No row comes to a log in memory."""

    async def rows(self, position: int, *, most: int) -> Sequence[Row]:
        """Return none."""
        return ()

    async def close(self) -> None:
        """There is nothing to let go."""


class NoSplits:
    """A cluster without any split."""

    def page(
        self, *, namespace: str | None, wanted: State | None, after: tuple[str, str], limit: int
    ) -> tuple[list[SplitState], tuple[str, str] | None]:
        """Return none."""
        return [], None


class TheseSplits:
    """A cluster with these splits, which all fit on one page."""

    def __init__(self, *splits: SplitState) -> None:
        self._splits = splits

    def page(
        self, *, namespace: str | None, wanted: State | None, after: tuple[str, str], limit: int
    ) -> tuple[list[SplitState], tuple[str, str] | None]:
        """Return all that stand so."""
        return [split for split in self._splits if wanted in (None, split.state)], None


class Reasons:
    """Readiness that a test sets."""

    def __init__(self, *reasons: str, remarks: Sequence[str] = ()) -> None:
        self.given = list(reasons)
        self._remarks = remarks

    def reasons(self) -> Sequence[str]:
        """Return them."""
        return self.given

    def remarks(self) -> Sequence[str]:
        """Return those."""
        return self._remarks


class Tokens:
    """A reviewer that knows these tokens."""

    def __init__(self, verdicts: dict[str, access.Verdict]) -> None:
        self._verdicts = verdicts
        self.asked: list[tuple[str, str]] = []

    async def may_get(self, token: str, path: str) -> access.Verdict:
        """Return the token's verdict."""
        self.asked.append((token, path))
        return self._verdicts.get(token, "unauthenticated")


def door() -> SignIn:
    """A sign-in that knows nobody."""
    return SignIn(reviewer=Tokens({}), sessions=Sessions(), limits=Limits())


def row(seq: int, *, detail: str = "{}", documents: bytes = b"", **columns: str) -> Row:
    """Return a row of one run; each is a second younger than the one before."""
    return Row(
        position=seq,
        run=RUN,
        seq=seq,
        at=1_600_000_000_000_000 + seq * 1_000_000,
        kind=columns.get("kind", "observed"),
        namespace=columns.get("namespace"),
        split=columns.get("split"),
        service=columns.get("service"),
        outcome=columns.get("outcome"),
        actor=columns.get("actor"),
        reconcile=columns.get("reconcile"),
        resource_version=columns.get("resource_version"),
        detail=detail,
        documents=documents,
        hash=hashlib.sha256(str(seq).encode()).digest(),
    )


def server(log: MemoryLog | Reader, *, port: int = 0) -> Server:
    """A port on this log that asks for no token, with nothing else behind it; not started yet."""
    return Server(
        address=f"127.0.0.1:{port}",
        readiness=Reasons(),
        registry=CollectorRegistry(),
        log=log,
        feed=Feed(log=log),
        splits=NoSplits(),
        reviewer=None,
    )
