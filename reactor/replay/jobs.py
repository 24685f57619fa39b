"""A log replayed part by part, in this process or in several."""

from __future__ import annotations

import gc
import multiprocessing
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Final

from reactor.audit.query.filters import Filters
from reactor.audit.query.pages import Span
from reactor.replay.decisions import Part, Replayer
from reactor.replay.source import Source

PIECE: Final = 5_000
"""Positions of one part: its differences are in memory at once."""
_AHEAD: Final = 2
"""Parts a process that may be done or begun before the oldest is taken."""


def parts(source: Source, filters: Filters, span: Span, *, jobs: int) -> Iterator[Part]:
    """Decide what lies in ``span`` again, in the order of the log."""
    if jobs == 1:
        replayer = Replayer(source, filters)
        yield from map(replayer.again, _pieces(span))
    else:
        yield from _in_processes(source, filters, span, jobs)


def _pieces(span: Span) -> Iterator[Span]:
    for low in range(span.low, span.high + 1, PIECE):
        yield span.part(low, low + PIECE - 1)


def _in_processes(source: Source, filters: Filters, span: Span, jobs: int) -> Iterator[Part]:
    # Spawned: a fork would take over whatever threads and locks there are here.
    context = multiprocessing.get_context("spawn")
    under_way: deque[Future[Part]] = deque()
    # Decoded objects hold no cycles, so that looking for some is time lost.
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=gc.disable) as pool:
        try:
            for piece in _pieces(span):
                under_way.append(pool.submit(_one, source, filters, piece))
                if len(under_way) >= _AHEAD * jobs:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for future in under_way:
                future.cancel()


def _one(source: Source, filters: Filters, piece: Span) -> Part:
    return Replayer(source, filters).again(piece)
