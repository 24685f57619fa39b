"""The adaptor as a process to be killed: on a disk that forgets, in lives of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.cluster.process import Keeper
from tests.crash.durable import Disk

PATIENCE = 30.0


class Victim:
    """One program at a time; ``gone`` is done when it has ended, however that came."""

    def __init__(self, *, disk: Disk, kubeconfig: Path, keeper: Keeper) -> None:
        self.disk = disk
        self.log_file = disk.live / "audit.sqlite"
        self._output = disk.live.with_name("smi-adaptor.log")
        self._kubeconfig = kubeconfig
        self._keeper = keeper
        self._process: asyncio.subprocess.Process | None = None
        self.gone: asyncio.Task[int] | None = None

    @classmethod
    @asynccontextmanager
    async def on(cls, disk: Disk, kubeconfig: Path) -> AsyncIterator[Victim]:
        """One that is dead at the end, whatever happened."""
        keeper = Keeper()
        victim = cls(disk=disk, kubeconfig=kubeconfig, keeper=keeper)
        try:
            yield victim
        finally:
            if victim.gone is not None:
                victim.kill()
                await victim.gone
            await asyncio.to_thread(keeper.close)

    async def start(self, *, sync: int = 0, after: bool = False, deaf: bool = False) -> None:
        """Begin a life, which ends by itself at its ``sync``th sync."""
        environment = self.disk.environment(kill_at_sync=sync, after=after, deaf=deaf)
        with self._output.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                str(Path(sys.executable).with_name("smi-adaptor")),
                f"-kubeconfig={self._kubeconfig}",
                f"-audit-url={self.log_file}",
                "-metrics-addr=127.0.0.1:0",
                env={**os.environ, **environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._keeper.add(process.pid)
        self._process = process
        self.gone = asyncio.create_task(self._wait(process), name="victim")

    async def _wait(self, process: asyncio.subprocess.Process) -> int:
        code = await process.wait()
        self._keeper.drop(process.pid)
        return code

    @property
    def alive(self) -> bool:
        """Whether it runs now."""
        return self.gone is not None and not self.gone.done()

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None and self.alive:
            self._process.kill()

    async def terminate(self) -> None:
        """SIGTERM, and an end in good order."""
        assert self._process is not None
        assert self.gone is not None
        assert self.alive, f"it ended by itself:\n{self.output()}"
        self._process.terminate()
        async with asyncio.timeout(PATIENCE):
            assert await self.gone == 0, self.output()

    def output(self) -> str:
        """All that it said, over all its lives."""
        return self._output.read_text(encoding="utf-8")
