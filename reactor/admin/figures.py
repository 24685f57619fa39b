"""What a log says of itself, as it is sent: how much it holds, and whether it is as written."""

from __future__ import annotations

from reactor.admin import moment, wire
from reactor.audit.archive.verdict import ArchiveVerdict
from reactor.audit.chain import Verdict
from reactor.audit.query.archived import Archived
from reactor.audit.query.stats import Hole, Stats


def verdict(found: Verdict) -> wire.Verdict:
    """A proof's."""
    anchors = [] if found.anchor is None else [str(found.anchor)]
    remarks: list[str] = []
    if isinstance(found, ArchiveVerdict):
        anchors = [str(anchor) for anchor in found.anchors]
        remarks = list(found.remarks)
    return wire.Verdict(
        proved=found.problem is None,
        rows=found.rows,
        problem=found.problem,
        anchor=None if found.anchor is None else str(found.anchor),
        anchors=anchors,
        remarks=remarks,
    )


def stats(found: Stats) -> wire.Stats:
    """A log's, with its archive's where there is one."""
    lag = found.lag
    return wire.Stats(
        rows=found.rows,
        bytes=found.bytes,
        index_bytes=found.index_bytes,
        unindexed=found.unindexed,
        runs=found.runs,
        oldest=_moment(found.oldest),
        newest=_moment(found.newest),
        gaps=[_gap(hole) for hole in found.holes],
        archive=None if found.archive is None else _archive(found.archive),
        lag=None if lag is None else wire.Lag(lag.rows, lag.seconds, lag.trouble),
    )


def _archive(found: Archived) -> wire.Archive:
    return wire.Archive(
        cluster=found.cluster,
        rows=found.rows,
        bytes=found.bytes,
        runs=found.runs,
        oldest=_moment(found.oldest),
        newest=_moment(found.newest),
        months=[wire.Month(one.name, one.rows, one.bytes) for one in found.months],
        writers=[wire.Writer(one.run, one.host, moment.text(one.newest)) for one in found.writers],
        losses=[
            wire.Loss(one.run, one.position, one.rows, moment.text(one.noticed))
            for one in found.losses
        ],
        clusters=[
            wire.Cluster(one.name, one.retention, one.runs, _moment(one.newest))
            for one in found.clusters
        ],
    )


def _gap(hole: Hole) -> wire.Gap:
    return wire.Gap(
        run=hole.run,
        seq=hole.seq,
        rows=hole.rows,
        first=moment.text(hole.first),
        last=moment.text(hole.last),
        reason=hole.reason,
    )


def _moment(at: int | None) -> str | None:
    return None if at is None else moment.text(at)
