"""GET /health: whether the program sees the cluster, and keeps its log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from prometheus_client import CollectorRegistry

from reactor.admin import question
from reactor.admin.entries import Log
from reactor.admin.pages.moments import duration
from reactor.admin.pages.page import Page
from reactor.admin.probes import Readiness
from reactor.audit.query import Run

_RUNS: Final = 20
_WATCH: Final = "smi_adaptor_watch_"


class Watch(msgspec.Struct, frozen=True):
    """How a resource is watched: seconds since the server was heard, and begun anew how often."""

    resource: str
    silent: float
    restarts: int


def page(*, log: Log, readiness: Readiness, registry: CollectorRegistry) -> Page:
    """The page. What the metrics say is said here in words."""

    async def show(places: Mapping[str, Any], query: bytes, now: int) -> Mapping[str, Any]:
        question.read(query, (), now=now)
        runs = await log.runs()
        samples = _samples(registry)
        return {
            "title": "Health",
            "reasons": readiness.reasons(),
            "remarks": readiness.remarks(),
            "watches": _watches(samples),
            "sample": {name: value for (name, labels), value in samples.items() if not labels},
            "stats": await log.stats(),
            "kept": _retention(runs[0], "audit") if runs else {},
            "archived": _retention(runs[0], "archive") if runs else {},
            "runs": runs[:_RUNS],
            "more_runs": max(0, len(runs) - _RUNS),
        }

    part = "Journal, watches and gaps are this adaptor's own; the runs come"
    return Page("/health", "health.html", show, part=part)


Samples = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]


def _samples(registry: CollectorRegistry) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name.startswith(("smi_adaptor_journal_", "smi_adaptor_archive_", _WATCH))
    }


def _watches(samples: Samples) -> list[Watch]:
    silent: dict[str, float] = {}
    restarts: dict[str, int] = {}
    for (name, labels), value in samples.items():
        resource = dict(labels).get("resource", "")
        if name == f"{_WATCH}staleness_seconds":
            silent[resource] = value
        elif name == f"{_WATCH}restarts_total":
            restarts[resource] = restarts.get(resource, 0) + int(value)
    return [Watch(name, value, restarts.get(name, 0)) for name, value in sorted(silent.items())]


def _retention(run: Run, log: str) -> Mapping[str, str]:
    """What a run's settings say of how long, and how much, is kept."""
    settings = msgspec.json.decode(run.settings, type=dict[str, str])
    said = {}
    if age := settings.get(f"{log}-retention-age"):
        said["Kept for"] = duration(float(age))
    if size := settings.get(f"{log}-retention-size"):
        said["Kept up to"] = f"{int(size) / 2**20:,.0f} MiB"
    return said
