"""What others hold, read when Prometheus asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric


class Queue(Protocol):
    """The work queue: how many keys wait, and the first of them for how many seconds."""

    def __len__(self) -> int: ...

    @property
    def oldest_age(self) -> float: ...


class Watch(Protocol):
    """How one reflector fares: seconds since the server was heard, restarts by reason."""

    @property
    def staleness(self) -> float: ...

    @property
    def restarts(self) -> Mapping[str, int]: ...


class Journal(Protocol):
    """The writer of the audit log: rows committed, waiting, room for them, lost."""

    @property
    def rows(self) -> int: ...

    @property
    def backlog(self) -> int: ...

    @property
    def capacity(self) -> int: ...

    @property
    def gaps(self) -> int: ...

    @property
    def degraded(self) -> str | None: ...


class Recorder(Protocol):
    """The sender of Kubernetes Events: how many it dropped, by reason."""

    @property
    def dropped(self) -> Mapping[str, int]: ...


class Shipper(Protocol):
    """What copies the log to the archive: rows shipped, those that wait, and lost on the way."""

    @property
    def shipped(self) -> int: ...

    @property
    def failures(self) -> int: ...

    @property
    def lost(self) -> int: ...

    @property
    def lag_rows(self) -> int: ...

    @property
    def lag_seconds(self) -> float: ...

    @property
    def trouble(self) -> str | None: ...


class QueueGauges:
    """Collector of the work queue."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def collect(self) -> Iterator[Metric]:
        """Yield depth and oldest age."""
        yield GaugeMetricFamily(
            "smi_adaptor_queue_depth", "Services that wait for a worker.", len(self._queue)
        )
        yield GaugeMetricFamily(
            "smi_adaptor_queue_oldest_age_seconds",
            "How long the first of them has waited.",
            self._queue.oldest_age,
        )


class WatchGauges:
    """Collector of the reflectors, given by resource."""

    def __init__(self, watches: Mapping[str, Watch]) -> None:
        self._watches = watches

    def collect(self) -> Iterator[Metric]:
        """Yield restarts by reason, and seconds since the server was last heard."""
        restarts = CounterMetricFamily(
            "smi_adaptor_watch_restarts",
            "Watches begun anew, by what ended the one before.",
            labels=["resource", "reason"],
        )
        staleness = GaugeMetricFamily(
            "smi_adaptor_watch_staleness_seconds",
            "Since the API server was last heard on this watch; a quiet one bears bookmarks.",
            labels=["resource"],
        )
        for resource, watch in self._watches.items():
            for reason, count in watch.restarts.items():
                restarts.add_metric([resource, reason], count)
            staleness.add_metric([resource], watch.staleness)
        yield restarts
        yield staleness


class JournalGauges:
    """Collector of the audit log's writer."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def collect(self) -> Iterator[Metric]:
        """Yield rows, buffer, gaps and whether it is degraded."""
        journal = self._journal
        yield CounterMetricFamily(
            "smi_adaptor_journal_rows", "Rows committed to the audit log.", journal.rows
        )
        yield GaugeMetricFamily(
            "smi_adaptor_journal_buffer_rows", "Rows that wait for a commit.", journal.backlog
        )
        yield GaugeMetricFamily(
            "smi_adaptor_journal_buffer_capacity", "Rows that may wait.", journal.capacity
        )
        yield CounterMetricFamily(
            "smi_adaptor_journal_gap_rows", "Rows that could not be kept.", journal.gaps
        )
        yield GaugeMetricFamily(
            "smi_adaptor_journal_degraded",
            "1 while nobody waits for the audit log, because it can't be written.",
            journal.degraded is not None,
        )


class EventGauges:
    """Collector of the sender of Kubernetes Events."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def collect(self) -> Iterator[Metric]:
        """Yield how many were dropped."""
        dropped = CounterMetricFamily(
            "smi_adaptor_events_dropped",
            "Kubernetes Events that were not sent, by reason.",
            labels=["reason"],
        )
        for reason, count in self._recorder.dropped.items():
            dropped.add_metric([reason], count)
        yield dropped


class ArchiveGauges:
    """Collector of what copies the log to the archive; None where there is no archive."""

    def __init__(self, shipper: Shipper | None) -> None:
        self._shipper = shipper

    def collect(self) -> Iterator[Metric]:
        """Yield rows, lag, losses and whether it works."""
        shipper = self._shipper
        if shipper is None:
            return
        yield CounterMetricFamily(
            "smi_adaptor_archive_rows", "Rows copied to the archive.", shipper.shipped
        )
        yield GaugeMetricFamily(
            "smi_adaptor_archive_lag_rows", "Rows that the archive lacks.", shipper.lag_rows
        )
        yield GaugeMetricFamily(
            "smi_adaptor_archive_lag_seconds",
            "How old the first of them is.",
            shipper.lag_seconds,
        )
        yield CounterMetricFamily(
            "smi_adaptor_archive_lost_rows",
            "Rows that local retention removed before they were copied.",
            shipper.lost,
        )
        yield CounterMetricFamily(
            "smi_adaptor_archive_failures", "Attempts to copy that failed.", shipper.failures
        )
        yield GaugeMetricFamily(
            "smi_adaptor_archive_reachable",
            "1 while rows can be copied.",
            shipper.trouble is None,
        )
