"""What happened, once, where the logs of several replicas tell of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from reactor.audit.query import Run

_KNOWN: Final = 100_000
"""Observations that are remembered: replicas see the same within moments."""
_TOLD: Final = frozenset({"observed", "translated"})


class Told(Protocol):
    """A row, as far as it is looked at here."""

    @property
    def run(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def resource_version(self) -> str | None: ...

    @property
    def detail(self) -> msgspec.Raw: ...


class _Observed(msgspec.Struct):
    object: str
    uid: str
    type: str
    gone: bool = False


_observed = msgspec.json.Decoder(_Observed).decode


class Once:
    """Asked for each row in the order of the log; ``only`` this run is to be done again."""

    def __init__(self, runs: Sequence[Run], *, only: str | None) -> None:
        self._ends = {run.id: run.ended for run in runs}
        started = next((run.started for run in runs if run.id == only), None)
        self._beside = {
            run.id
            for run in runs
            if started is not None and run.id != only and (run.ended or started + 1) > started
        }
        self._seen: OrderedDict[tuple[str, str, str | None], str] = OrderedDict()

    def wanted(self, row: Told, at: int) -> bool:
        """Whether it tells of something new; ``at`` is its time in microseconds."""
        if row.kind not in _TOLD or row.run in self._beside:
            return False
        if row.kind == "translated":
            return True
        told = _observed(row.detail)
        gone = told.gone or told.type == "deleted"
        key = (told.object, told.uid, None if gone else row.resource_version)
        first = self._seen.setdefault(key, row.run)
        if len(self._seen) > _KNOWN:
            self._seen.popitem(last=False)
        if first == row.run:
            return True
        ended = self._ends.get(first)
        # A run that begins when the other is over lists everything anew.
        return ended is not None and ended <= at
