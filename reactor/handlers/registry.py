"""The registry that /metrics shows."""

from __future__ import annotations

import platform
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric


class BuildInfo:
    """Collector of what runs: a constant 1 with its labels."""

    def __init__(self, version: str) -> None:
        self._version = version

    def collect(self) -> Iterator[Metric]:
        """Yield version and Python."""
        info = GaugeMetricFamily(
            "smi_adaptor_build_info", "What runs; always 1.", labels=["version", "python"]
        )
        info.add_metric([self._version, platform.python_version()], 1)
        yield info


def build_registry(*, version: str) -> CollectorRegistry:
    """Return a registry with build, process and garbage collection metrics.

    The parts' own collectors are registered as the parts come to be.
    """
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    registry.register(BuildInfo(version))
    return registry
