"""Answers of Prometheus become the figures of a leaf."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import msgspec

Leaf = tuple[str, str]
"""Namespace and Service."""


class Sample(msgspec.Struct, frozen=True):
    """One series of an instant query: its labels, and when it had which value."""

    metric: dict[str, str]
    value: tuple[float, str]

    @property
    def leaf(self) -> Leaf:
        """Where the requests went to."""
        return self.metric.get("dst_namespace", ""), self.metric.get("dst_service", "")


class Figures(msgspec.Struct, frozen=True):
    """A leaf's traffic. ``success`` is a share of 1; latencies are in ms by quantile.

    A quantile is missing when no request came between the last two scrapes.
    """

    success: float
    rps: float
    latency: dict[float, float]


def figures(
    requests: Iterable[Sample], latencies: Mapping[float, Iterable[Sample]], *, window: float
) -> dict[Leaf, Figures]:
    """The leaves that had traffic in these last ``window`` seconds."""
    counted: dict[Leaf, dict[str, float]] = {}
    for sample in requests:
        counts = counted.setdefault(sample.leaf, {"success": 0.0, "failure": 0.0})
        classification = sample.metric.get("classification", "")
        if classification in counts:
            counts[classification] += _number(sample) or 0.0
    kept: dict[Leaf, dict[float, float]] = {}
    for quantile, samples in latencies.items():
        for sample in samples:
            value = _number(sample)
            if value is not None:
                kept.setdefault(sample.leaf, {})[quantile] = value
    found = {}
    for leaf, counts in counted.items():
        total = sum(counts.values())
        if total > 0:
            found[leaf] = Figures(counts["success"] / total, total / window, kept.get(leaf, {}))
    return found


def _number(sample: Sample) -> float | None:
    try:
        value = float(sample.value[1])
    except ValueError:
        return None
    return value if math.isfinite(value) else None
