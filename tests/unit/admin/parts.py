"""Small real parts for the admin port: a log in memory, a table of tokens, a list of reasons."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from reactor.admin.access import Verdict
from reactor.audit.query import Filters, Page
from reactor.audit.row import Row

RUN = "01890a5d-ac96-774b-bcce-b302099a8057"


class MemoryLog:
    """A log that holds these rows, oldest first; it knows kinds and no other filter."""

    def __init__(self, rows: Sequence[Row] = ()) -> None:
        self._rows = rows

    async def entries(
        self, filters: Filters, *, limit: int = 100, cursor: str | None = None
    ) -> Page:
        """Return the newest rows before the cursor."""
        before = int(cursor.removeprefix("v1.")) if cursor else None
        fits = [
            row
            for row in reversed(self._rows)
            if (before is None or row.position < before) and filters.kind in (None, row.kind)
        ]
        last = fits[limit - 1] if len(fits) > limit else None
        return Page(tuple(fits[:limit]), f"v1.{last.position}" if last else None)


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

    def __init__(self, verdicts: dict[str, Verdict]) -> None:
        self._verdicts = verdicts
        self.asked: list[tuple[str, str]] = []

    async def may_get(self, token: str, path: str) -> Verdict:
        """Return the token's verdict."""
        self.asked.append((token, path))
        return self._verdicts.get(token, "unauthenticated")


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
