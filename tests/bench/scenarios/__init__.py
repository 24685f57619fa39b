"""What is measured, one module for each question.

Nothing here computes a statistic or starts a process itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.bench.figure import Figure
from tests.bench.scenarios import (
    archive,
    burst,
    cold,
    disturbed,
    export,
    journal,
    latency,
    long,
    memory,
    queries,
    replay,
    requests,
    rowsize,
    shipping,
    stall,
    startup,
    tail,
    verify,
)
from tests.bench.setting import Setting

Scenario = Callable[[Setting], list[Figure]]

SCENARIOS: Mapping[str, Scenario] = {
    "cold": cold.run,
    "latency": latency.run,
    "burst": burst.run,
    "requests": requests.run,
    "memory": memory.run,
    "journal": journal.run,
    "stall": stall.run,
    "startup": startup.run,
    "tail": tail.run,
    "disturbed": disturbed.run,
    "queries": queries.run,
    "verify": verify.run,
    "export": export.run,
    "rowsize": rowsize.run,
    "replay": replay.run,
    "shipping": shipping.run,
    "archive": archive.run,
    "long": long.run,
}
