"""A control plane filled with splits, an adaptor, and loaders beside them: one for a scenario."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.bench import samples, workload
from tests.bench.adaptor import Adaptor
from tests.bench.command import Action, Expect, Reply, Write
from tests.bench.remote import Remote
from tests.cluster.api import Api
from tests.cluster.control_plane import ControlPlane
from tests.cluster.prepare import ensure_namespace, prepare
from tests.cluster.process import Keeper

IN_FLIGHT = (8, 32, 64)
_CALIBRATION = 1000


class Bed:
    """``splits`` is how many there will be; generations of weights are counted here.

    etcd syncs its writes, and the audit log lies in the same directory as etcd's.
    """

    def __init__(
        self,
        directory: Path,
        *,
        environment: Path,
        splits: int,
        apiserver_args: Sequence[str] = (),
    ) -> None:
        self.directory = directory
        self.splits = splits
        self.generation = 499  # the guide's 500 to 500
        self._environment = environment
        self._apiserver_args = apiserver_args
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        with ExitStack() as stack:
            stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
            plane = ControlPlane(
                self.directory / "plane", fsync=True, apiserver_args=self._apiserver_args
            )
            self.plane = stack.enter_context(plane)
            asyncio.run(self._prepare())
            keeper = Keeper()
            stack.callback(keeper.close)
            log = self.directory / "loader.log"
            # Two: a watcher should not wait for a writer's turn.
            self.writer = Remote(plane, log=log, keeper=keeper)
            stack.callback(self.writer.close)
            self.watcher = Remote(plane, log=log, keeper=keeper)
            stack.callback(self.watcher.close)
            self.adaptor = Adaptor(
                self._environment,
                kubeconfig=plane.adaptor_kubeconfig,
                directory=self.directory,
                keeper=keeper,
            )
            stack.callback(self.adaptor.stop)
            self.write("create services")
            self.write("create splits")
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def write(self, action: Action, *, count: int | None = None, in_flight: int = 32) -> Reply:
        """Writes every object, or the first `count`, in the present generation."""
        return self.writer.call(
            Write(
                action=action,
                count=self.splits if count is None else count,
                generation=self.generation,
                in_flight=in_flight,
            )
        )

    def empty(self) -> None:
        """Removes all profiles and waits until the watcher knows."""
        self.watcher.send(Expect(count=0, generation=None))
        self.write("delete profiles")
        self.watcher.result()

    def expect(self, *, timeout: float = 180.0) -> None:
        """Lets the watcher begin to wait for all profiles of this generation."""
        self.watcher.send(Expect(count=self.splits, generation=self.generation, timeout=timeout))

    def expected(self) -> float:
        """When the last of them was seen, written by an adaptor that must stay alive."""
        return self.watcher.result(meanwhile=self.adaptor.check).ended

    def best_in_flight(self, action: Action, *, rounds: int, undo: Action | None = None) -> int:
        """With how many requests in flight raw is fastest, by the median of some rounds."""
        took: dict[int, list[float]] = {number: [] for number in IN_FLIGHT}
        count = min(self.splits, _CALIBRATION)
        for _ in range(rounds):
            for number in IN_FLIGHT:
                if undo is None:
                    self.generation += 1
                took[number].append(self.write(action, count=count, in_flight=number).elapsed)
                if undo is not None:
                    self.write(undo, count=count)
        return min(IN_FLIGHT, key=lambda number: samples.median(took[number]))

    def sync(self) -> None:
        """Lets the adaptor write every profile for the first time, and ends it."""
        self.expect()
        self.adaptor.start(forget=True)
        self.expected()
        self.adaptor.stop()

    async def _prepare(self) -> None:
        async with Api.connect(self.plane.admin_kubeconfig) as api:
            await prepare(api)
            for index in range(workload.NAMESPACES):
                await ensure_namespace(api, workload.namespace(index))
