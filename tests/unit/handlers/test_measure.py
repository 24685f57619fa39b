"""What is counted, and what Prometheus then reads."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from reactor.bus import Bus
from reactor.events import Contended, Key, Observed, Outcome, Synced
from reactor.handlers.gauges import (
    ArchiveGauges,
    EventGauges,
    JournalGauges,
    QueueGauges,
    WatchGauges,
)
from reactor.handlers.histogram import Histogram
from reactor.handlers.measure import STAGES, Measure
from reactor.handlers.registry import build_registry
from reactor.translate.decision import Decision, Desired, Unchanged
from reactor.workqueue import WorkQueue

KEY = Key("ns", "web")
DECISION = Decision(Desired(None, None, None, True, False, ()), Unchanged())
DURATIONS = {
    "queued": 0.001,
    "decided": 0.0002,
    "committed": 0.002,
    "written": 0.003,
    "total": 0.0062,
}


class JournalState(msgspec.Struct):
    """A journal's numbers."""

    rows: int = 12
    backlog: int = 3
    capacity: int = 50_000
    gaps: int = 4
    degraded: str | None = None


class ShipperState(msgspec.Struct):
    """A shipper's."""

    shipped: int = 7
    failures: int = 2
    lost: int = 1
    lag_rows: int = 4
    lag_seconds: float = 0.5
    trouble: str | None = None


class WatchState(msgspec.Struct):
    """A reflector's."""

    staleness: float
    restarts: Counter[str]


class RecorderState(msgspec.Struct):
    """A recorder's."""

    dropped: Counter[str]


def samples(registry: CollectorRegistry) -> dict[str, float]:
    """Return every sample as Prometheus reads it, by name{label=value,...}."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        for sample in family.samples:
            labels = ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()))
            found[sample.name + (f"{{{labels}}}" if labels else "")] = sample.value
    return found


def synced(outcome: Outcome, durations: dict[str, float] | None = None) -> Synced:
    return Synced(KEY, "r", 0, outcome, DECISION, 1, 200, "7", durations or {})


@pytest.fixture(name="measure")
def _measure() -> Measure:
    return Measure()


@pytest.fixture(name="registry")
def _registry(measure: Measure) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(measure)
    return registry


async def test_a_sync_counts_once_by_outcome_and_by_stage(
    measure: Measure, registry: CollectorRegistry
) -> None:
    bus = Bus()
    bus.subscribe(Synced, measure.synced)
    await bus.publish(synced("patched", DURATIONS))
    await bus.publish(synced("unchanged", {"queued": 0.5}))
    found = samples(registry)
    assert found["smi_adaptor_syncs_total{outcome=patched}"] == 1
    assert found["smi_adaptor_syncs_total{outcome=unchanged}"] == 1
    assert found["smi_adaptor_sync_duration_seconds_count"] == 1
    assert found["smi_adaptor_sync_duration_seconds_sum"] == pytest.approx(0.0062)
    assert found["smi_adaptor_sync_duration_seconds_bucket{le=0.005}"] == 0
    assert found["smi_adaptor_sync_duration_seconds_bucket{le=0.01}"] == 1
    assert found["smi_adaptor_sync_stage_duration_seconds_count{stage=queued}"] == 2
    assert found["smi_adaptor_sync_stage_duration_seconds_count{stage=written}"] == 1


def test_every_outcome_and_stage_is_there_before_its_first_event(
    registry: CollectorRegistry,
) -> None:
    found = samples(registry)
    assert found["smi_adaptor_syncs_total{outcome=interrupted}"] == 0
    for stage in STAGES:
        assert found[f"smi_adaptor_sync_stage_duration_seconds_count{{stage={stage}}}"] == 0


async def test_observations_and_contentions_are_counted(
    measure: Measure, registry: CollectorRegistry
) -> None:
    await measure.observed(Observed("services", "added", None, None, "unknown", 0, 0.0))
    await measure.observed(Observed("services", "added", None, None, "unknown", 0, 0.0))
    await measure.contended(Contended(KEY, "split", "helm", 3, 5.0))
    found = samples(registry)
    assert found["smi_adaptor_observed_total{change=added,resource=services}"] == 2
    assert found["smi_adaptor_contended_total"] == 1


def test_requests_are_counted_by_verb_resource_and_code(
    measure: Measure, registry: CollectorRegistry
) -> None:
    measure.requested("patch", "serviceprofiles", "200", 0.004)
    measure.requested("patch", "serviceprofiles", "409", 0.002)
    measure.requested("patch", "serviceprofiles", "error", 10.0)
    found = samples(registry)
    name = "smi_adaptor_api_requests_total"
    for code in ("200", "409", "error"):
        assert found[f"{name}{{code={code},resource=serviceprofiles,verb=patch}}"] == 1
    labels = "resource=serviceprofiles,verb=patch"
    assert found[f"smi_adaptor_api_request_duration_seconds_count{{{labels}}}"] == 3


def test_commits_are_timed(measure: Measure, registry: CollectorRegistry) -> None:
    measure.committed(256, 0.004)
    found = samples(registry)
    assert found["smi_adaptor_journal_commit_duration_seconds_bucket{le=0.005}"] == 1


async def test_state_is_read_when_asked_for() -> None:
    registry = CollectorRegistry()
    now = 100.0
    queue: WorkQueue[Key] = WorkQueue(clock=lambda: now)
    journal = JournalState()
    watch = WatchState(1.5, Counter({"expired": 2}))
    registry.register(QueueGauges(queue))
    registry.register(JournalGauges(journal))
    registry.register(WatchGauges({"trafficsplits": watch}))
    registry.register(EventGauges(RecorderState(Counter({"spam": 5}))))
    queue.add(KEY)
    now = 103.0
    journal.degraded = "the disk is full"
    assert samples(registry) == {
        "smi_adaptor_queue_depth": 1,
        "smi_adaptor_queue_oldest_age_seconds": 3,
        "smi_adaptor_journal_rows_total": 12,
        "smi_adaptor_journal_buffer_rows": 3,
        "smi_adaptor_journal_buffer_capacity": 50_000,
        "smi_adaptor_journal_gap_rows_total": 4,
        "smi_adaptor_journal_degraded": 1,
        "smi_adaptor_watch_restarts_total{reason=expired,resource=trafficsplits}": 2,
        "smi_adaptor_watch_staleness_seconds{resource=trafficsplits}": 1.5,
        "smi_adaptor_events_dropped_total{reason=spam}": 5,
    }


def test_the_build_names_its_version() -> None:
    found = samples(build_registry(version="9.8.7"))
    (build,) = (name for name in found if name.startswith("smi_adaptor_build_info"))
    assert "version=9.8.7" in build
    assert found[build] == 1


@given(st.lists(st.floats(0, 100)))
def test_a_histogram_counts_each_value_in_every_bucket_at_or_above_it(values: list[float]) -> None:
    bounds = (0.1, 1.0, 10.0)
    histogram = Histogram(bounds)
    for value in values:
        histogram.observe(value)
    counted = {bound: sum(value <= bound for value in values) for bound in bounds}
    assert histogram.buckets() == [(str(b), c) for b, c in counted.items()] + [
        ("+Inf", len(values))
    ]
    assert histogram.sum == pytest.approx(sum(values))


async def test_an_event_costs_at_most_three_microseconds(measure: Measure) -> None:
    event = synced("patched", DURATIONS)
    best = float("inf")
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(500):
            await measure.synced(event)
            measure.requested("patch", "serviceprofiles", "200", 0.003)
        best = min(best, (time.perf_counter() - start) / 1000)
        await asyncio.sleep(0)
    assert best <= 3e-6


def test_the_docs_list_every_metric_with_its_type_and_labels_and_no_other() -> None:
    measure = Measure()
    measure.requested("get", "services", "200", 0.1)
    asyncio.run(measure.observed(Observed("services", "added", None, None, "unknown", 0, 0.0)))
    registry = build_registry(version="1")
    registry.register(measure)
    registry.register(QueueGauges(WorkQueue()))
    registry.register(JournalGauges(JournalState()))
    registry.register(WatchGauges({"services": WatchState(0.0, Counter({"ended": 1}))}))
    registry.register(EventGauges(RecorderState(Counter({"spam": 5}))))
    registry.register(ArchiveGauges(ShipperState()))
    in_code = {}
    for family in registry.collect():
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = {label for s in family.samples for label in s.labels} - {"le"}
        in_code[name] = (family.type, frozenset(labels))
    page = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text()
    in_docs = {
        name: (kind, frozenset(re.findall(r"`(\w+)`", labels)))
        for name, kind, labels in re.findall(
            r"^\| `(\w+)` \| (\w+) \| ([^|]*)\| \S", page, re.MULTILINE
        )
    }
    assert in_docs == in_code
