"""Where recorded rows come from."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from reactor.audit.query import Reader, Run
from reactor.audit.query.batches import Batch, batches
from reactor.audit.query.filters import Filters
from reactor.audit.query.pages import Span
from reactor.errors import Fatal


class Source(Protocol):
    """A log that can be read from its oldest row on, in parts and by several processes at once.

    It is handed to other processes, so it is pickled: it holds what to open, nothing open.
    """

    def span(self, filters: Filters) -> Span:
        """Between which positions the rows lie at most; empty when there is none."""
        ...

    def batches(self, filters: Filters, span: Span) -> Iterator[Batch]:
        """The rows there that pass, the oldest first, in bounded batches with their documents.

        Filters on text and findings are not for this.
        """
        ...

    def runs(self) -> list[Run]:
        """The runs of the adaptor that wrote it, the newest first."""
        ...


class LogFile:
    """A log in a SQLite file, which its adaptor may be writing to. Fatal when there is none."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise Fatal(
                f"--db {path}: there is no such file; give the path of an audit log", code=2
            )
        self._path = path

    def span(self, filters: Filters) -> Span:
        return asyncio.run(Reader(url=str(self._path)).span(filters))

    def batches(self, filters: Filters, span: Span) -> Iterator[Batch]:
        return batches(self._path.absolute(), filters, span)

    def runs(self) -> list[Run]:
        return asyncio.run(Reader(url=str(self._path)).runs())
