"""Counts what happens, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from reactor.events import Contended, Observed, Outcome, Synced
from reactor.handlers.histogram import Histogram

STAGES = ("queued", "decided", "committed", "written")

_SYNC = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_STAGE = (0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0)
_COMMIT = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_REQUEST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Measure:
    """Subscriber of the bus, and collector of a Prometheus registry.

    Counted and read in one event loop, so nothing is locked. Every outcome and stage is there
    from the start with 0, so that a rate is right from its first event.
    """

    def __init__(self) -> None:
        self._syncs: dict[str, int] = dict.fromkeys(get_args(Outcome), 0)
        self._observed: dict[tuple[str, str], int] = {}
        self._contended = 0
        self._sync = Histogram(_SYNC)
        self._stages = {stage: Histogram(_STAGE) for stage in STAGES}
        self._commit = Histogram(_COMMIT)
        self._requests: dict[tuple[str, str, str], int] = {}
        self._request: dict[tuple[str, str], Histogram] = {}

    async def observed(self, event: Observed) -> None:
        """Count a change that a watch or a list brought."""
        key = (event.resource, event.change)
        self._observed[key] = self._observed.get(key, 0) + 1

    async def synced(self, event: Synced) -> None:
        """Count an outcome, and how long it took."""
        self._syncs[event.outcome] += 1
        for stage, seconds in event.durations.items():
            if stage == "total":
                self._sync.observe(seconds)
            elif (histogram := self._stages.get(stage)) is not None:
                histogram.observe(seconds)

    async def contended(self, event: Contended) -> None:
        """Count a repair that waits because someone keeps undoing it."""
        self._contended += 1

    def committed(self, rows: int, seconds: float) -> None:
        """Count one commit of the journal."""
        self._commit.observe(seconds)

    def requested(self, verb: str, resource: str, code: str, seconds: float) -> None:
        """Count one request to the API server; ``code`` is "error" when no answer came.

        ``seconds`` until the answer was there; of a watch, until its first byte.
        """
        key = (verb, resource, code)
        self._requests[key] = self._requests.get(key, 0) + 1
        histogram = self._request.get(key[:2])
        if histogram is None:
            histogram = self._request[key[:2]] = Histogram(_REQUEST)
        histogram.observe(seconds)

    def collect(self) -> Iterator[Metric]:
        """Yield all of it, as a registry asks for it."""
        syncs = CounterMetricFamily(
            "smi_adaptor_syncs", "Reconciliations that ended, by outcome.", labels=["outcome"]
        )
        for outcome, count in self._syncs.items():
            syncs.add_metric([outcome], count)
        yield syncs
        duration = HistogramMetricFamily(
            "smi_adaptor_sync_duration_seconds",
            "From the watch event that woke a service until its profile was written.",
        )
        duration.add_metric([], self._sync.buckets(), self._sync.sum)
        yield duration
        stages = HistogramMetricFamily(
            "smi_adaptor_sync_stage_duration_seconds",
            "The same by stage: queued, decided, committed to the log, written.",
            labels=["stage"],
        )
        for stage, histogram in self._stages.items():
            stages.add_metric([stage], histogram.buckets(), histogram.sum)
        yield stages
        observed = CounterMetricFamily(
            "smi_adaptor_observed",
            "Changes that watches and lists brought.",
            labels=["resource", "change"],
        )
        for pair, count in self._observed.items():
            observed.add_metric(list(pair), count)
        yield observed
        yield CounterMetricFamily(
            "smi_adaptor_contended",
            "Repairs put off because someone keeps undoing them.",
            value=self._contended,
        )
        yield from self._collect_requests()
        commit = HistogramMetricFamily(
            "smi_adaptor_journal_commit_duration_seconds", "One commit of the audit log."
        )
        commit.add_metric([], self._commit.buckets(), self._commit.sum)
        yield commit

    def _collect_requests(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "smi_adaptor_api_requests",
            "Requests to the API server; code error when no answer came.",
            labels=["verb", "resource", "code"],
        )
        for (verb, resource, code), count in self._requests.items():
            requests.add_metric([verb, resource, code], count)
        yield requests
        duration = HistogramMetricFamily(
            "smi_adaptor_api_request_duration_seconds",
            "Until the API server answered; of a watch, until it began to.",
            labels=["verb", "resource"],
        )
        for pair, histogram in self._request.items():
            duration.add_metric(list(pair), histogram.buckets(), histogram.sum)
        yield duration
