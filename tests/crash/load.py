"""Changes of splits under which a database fails, and how quickly each became its profile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from reactor.sandbox.server import Sandbox
from tests.contract.cluster import Cluster
from tests.contract.waiting import until


class Load:
    """Writers with a split of their own each, which they change once its profile is right.

    ``padding``: bytes in an annotation of each split, other ones with each change. ``every``:
    seconds between a writer's changes, when it is quick enough. A change makes four rows: the
    split, the decision, its outcome, the profile.
    """

    ROWS = 4

    def __init__(
        self, cluster: Cluster, *, writers: int = 4, padding: int = 0, every: float = 0.0
    ) -> None:
        assert cluster.sandbox is not None, "only the sandbox is quick enough"
        self._sandbox: Sandbox = cluster.sandbox
        self._cluster = cluster
        self._writers = writers
        self._padding = padding
        self._every = every
        self.changes = 0
        self.taken: list[float] = []

    @property
    def slowest(self) -> float:
        """Seconds that the slowest change took to become its profile."""
        return max(self.taken, default=0.0)

    async def run(self, enough: Callable[[], bool]) -> None:
        """Change splits until it is enough; returns when each has become its profile."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._writers):
                group.create_task(self._write(f"load-{number}", enough))

    async def seconds(self, seconds: float) -> None:
        """The same, for so long."""
        end = time.monotonic() + seconds
        await self.run(lambda: time.monotonic() >= end)

    async def times(self, changes: int) -> None:
        """The same, until about so many changes more were made."""
        end = self.changes + changes
        await self.run(lambda: self.changes >= end)

    async def _write(self, name: str, enough: Callable[[], bool]) -> None:
        while not enough():
            self.changes += 1
            weight = self.changes % 999 + 1  # what is written as it was read
            self._apply(name, weight)
            began = time.monotonic()
            await self._shows(name, str(weight))
            taken = time.monotonic() - began
            self.taken.append(taken)
            await asyncio.sleep(self._every - taken)

    async def _shows(self, name: str, weight: str) -> None:
        await until(lambda: self._weight(name) == weight)

    def _apply(self, name: str, weight: int) -> None:
        body = self._cluster.split(name, name, [("leaf", weight)])
        filler = f"{self.changes:08d}" * (self._padding // 8)
        body["metadata"]["annotations"] = {"padding": filler}
        self._sandbox.cluster.apply(body)

    def _weight(self, name: str) -> str | None:
        cluster = self._cluster
        found = self._sandbox.cluster.get(
            "serviceprofiles", cluster.authority(name), cluster.namespace
        )
        overrides = (found or {}).get("spec", {}).get("dstOverrides")
        return str(overrides[0]["weight"]) if overrides else None
