"""One run: the script, played while the adaptor is killed, and the check of what is left."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.cluster.control_plane import ADAPTOR
from tests.contract.cluster import Cluster
from tests.contract.waiting import until, until_async
from tests.crash import evidence
from tests.crash.durable import Disk
from tests.crash.points import AtSync, AtWrite, Point
from tests.crash.script import STEPS, Profiles, Step, ending, profiles
from tests.crash.victim import PATIENCE, Victim


class Run:
    """One cluster, one disk, and lives of the adaptor one after the other."""

    def __init__(self, cluster: Cluster, disk: Disk, victim: Victim) -> None:
        self._cluster = cluster
        self._disk = disk
        self._victim = victim
        self._shown: dict[str, Profiles] = {}
        self._lives = 0

    @classmethod
    @asynccontextmanager
    async def on(cls, cluster: Cluster, directory: Path) -> AsyncIterator[Run]:
        """One whose process is dead at the end."""
        disk = Disk(directory / "disk")
        async with Victim.on(disk.live / "audit.sqlite", cluster.kubeconfig) as victim:
            yield cls(cluster, disk, victim)

    async def crash(self, point: AtWrite | AtSync | None, steps: tuple[Step, ...] = STEPS) -> bool:
        """Play the steps until it is killed, and go on with them while it is dead.

        Then the disk loses what was never synced. False: that point was never reached, and it
        was killed when all was done.
        """
        before = await profiles(self._cluster)
        victim = self._victim
        killing = None
        if isinstance(point, AtWrite):
            killing = asyncio.create_task(self._kill(point), name="killing")
        sync = point if isinstance(point, AtSync) else AtSync(0, after=False)
        await victim.start(self._disk.environment(kill_at_sync=sync.number, after=sync.after))
        try:
            for step in steps:
                await step.act(self._cluster)
                await self._unless_dead(step)
            if not steps:
                await self._in_sync()
            reached = not victim.alive
        finally:
            if killing is not None:
                killing.cancel()
                await asyncio.gather(killing, return_exceptions=True)
        await self._bury(before)
        return reached

    async def recover(self) -> None:
        """Start anew, wait until all is in sync, and stop in good order."""
        before = await profiles(self._cluster)
        await self._victim.start(self._disk.environment())
        await self._in_sync()
        await self._victim.terminate()
        self._note(before)

    async def check(self) -> None:
        """The log explains everything, and the cluster is as if nothing had happened."""
        assert await profiles(self._cluster) == ending(self._cluster)
        await evidence.check(self._victim.log_file)
        evidence.check_explained(self._victim.log_file, self._shown, self._writes())

    async def trust_a_liar(self, step: Step) -> None:
        """Take a step while syncs reach nothing, and lose power."""
        await self._victim.start(self._disk.environment(deaf=True))
        await step.act(self._cluster)
        await step.taken(self._cluster)
        assert self._victim.gone is not None
        self._victim.kill()
        await self._victim.gone
        self._disk.lose_power()

    def lost(self) -> evidence.Writes:
        """Writes that the API server saw, and the disk has no decision of."""
        sent = self._writes()
        return Counter() if sent is None else sent - evidence.decided(self._victim.log_file)

    def _writes(self) -> evidence.Writes | None:
        sandbox = self._cluster.sandbox
        return None if sandbox is None else evidence.sent(sandbox, ADAPTOR)

    async def _bury(self, before: Profiles) -> None:
        victim = self._victim
        assert victim.gone is not None
        victim.kill()
        assert await victim.gone == -9, victim.output()
        self._disk.lose_power()
        self._note(before)
        assert self.lost() == Counter(), "a write was sent whose decision was not durable"

    def _note(self, before: Profiles) -> None:
        run = evidence.newest_run(self._victim.log_file)
        if run is not None:
            self._shown.setdefault(run, before)

    async def _kill(self, point: AtWrite) -> None:
        sandbox = self._cluster.sandbox
        assert sandbox is not None, "only the sandbox holds requests"
        gate = sandbox.faults.hold(
            after=point.instant == "done",
            verb=("create", "patch", "delete"),
            resource="serviceprofiles",
            user=ADAPTOR,
            skip=point.number - 1,
            times=1,
        )
        await gate.until(1, within=PATIENCE)
        self._victim.kill()
        if point.instant == "late":
            gate.open()
        # Held requests are cancelled when the API server hears that their sender is gone.
        await until(lambda: gate.waiting == 0)

    async def _unless_dead(self, step: Step) -> None:
        gone = self._victim.gone
        assert gone is not None
        taken = asyncio.create_task(step.taken(self._cluster), name="a step's effect")
        try:
            await asyncio.wait({taken, gone}, return_when=asyncio.FIRST_COMPLETED)
            if taken.done():
                taken.result()
        finally:
            taken.cancel()
            await asyncio.gather(taken, return_exceptions=True)

    async def _in_sync(self) -> None:
        """Wait until it does what a new split asks for, and all that was asked before; or dies."""
        self._lives += 1
        cluster, mark = self._cluster, f"mark-{self._lives}"
        name = cluster.authority(mark)
        wanted = ending(cluster)

        async def there() -> bool:
            found = await profiles(cluster)
            gone = found.pop(name, None) is not None and found == wanted
            return gone or not self._victim.alive

        async def cleared() -> bool:
            return await profiles(cluster) == wanted or not self._victim.alive

        await cluster.create_split(mark, mark, [("a", 1)])
        await until_async(there)
        await cluster.delete_split(mark)
        await until_async(cleared)


async def play(cluster: Cluster, directory: Path, point: Point, *, must_reach: bool = True) -> None:
    """The whole of one run, repeated by its point alone."""
    print(f"crash point: {point}")
    async with Run.on(cluster, directory) as run:
        reached = await run.crash(point.first)
        assert reached or not must_reach, "that point was never reached"
        if point.second is not None:
            await run.crash(point.second, ())
        await run.recover()
        await run.check()
