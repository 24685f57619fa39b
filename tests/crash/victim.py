"""The adaptor as a process that things are done to; it starts anew after each end."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import psutil
from prometheus_client.parser import text_string_to_metric_families

from tests.cluster.ports import free_port
from tests.cluster.process import Keeper

PATIENCE = 45.0


class Victim:
    """One process at a time; ``gone`` is done when it has ended, however that came."""

    def __init__(
        self,
        *,
        log_file: Path,
        output: Path,
        kubeconfig: Path,
        keeper: Keeper,
        session: aiohttp.ClientSession,
        wrapper: Sequence[str] = (),
    ) -> None:
        self.log_file = log_file
        self._output = output
        self._kubeconfig = kubeconfig
        self._keeper = keeper
        self._session = session
        self._wrapper = wrapper
        self._url = f"http://127.0.0.1:{free_port()}"
        self._process: asyncio.subprocess.Process | None = None
        self.gone: asyncio.Task[int] | None = None

    @classmethod
    @asynccontextmanager
    async def on(
        cls, log_file: Path, kubeconfig: Path, *, wrapper: Sequence[str] = ()
    ) -> AsyncIterator[Victim]:
        """One that is dead at the end, whatever happened. ``wrapper`` executes what follows it."""
        keeper = Keeper()
        async with aiohttp.ClientSession() as session:
            victim = cls(
                log_file=log_file,
                output=log_file.parent.with_name("smi-adaptor.log"),
                kubeconfig=kubeconfig,
                keeper=keeper,
                session=session,
                wrapper=wrapper,
            )
            try:
                yield victim
            finally:
                if victim.gone is not None:
                    victim.kill()
                    await victim.gone
                await asyncio.to_thread(keeper.close)

    async def start(self, environment: Mapping[str, str] | None = None, *flags: str) -> None:
        """Begin a life."""
        with self._output.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *self._wrapper,
                str(Path(sys.executable).with_name("smi-adaptor")),
                f"-kubeconfig={self._kubeconfig}",
                f"-audit-url={self.log_file}",
                f"-metrics-addr={self._url.removeprefix('http://')}",
                *flags,
                env={**os.environ, **(environment or {})},
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
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None, "it was never started"
        return self._process.pid

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

    async def unready(self) -> str:
        """Why /ready says that it is not; "" when it is."""
        try:
            async with self._session.get(f"{self._url}/ready") as answer:
                text = await answer.text()
                assert answer.status in (200, 503)
                return "" if answer.status == 200 else text
        except aiohttp.ClientConnectionError as error:
            return str(error) or "no connection"

    async def measured(self, name: str) -> float:
        """What /metrics says of a metric without labels."""
        async with self._session.get(f"{self._url}/metrics") as answer:
            text = await answer.text()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == name:
                    return sample.value
        raise KeyError(name)

    def memory(self) -> int:
        """Bytes of its memory that are resident."""
        return int(psutil.Process(self.pid).memory_info().rss)

    def output(self) -> str:
        """All that it said, over all its lives."""
        return self._output.read_text(encoding="utf-8")
