"""A way to a port that can be cut, and the command as a process."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Relay:
    """Carries bytes both ways until `cut`; then again."""

    def __init__(self, there: int) -> None:
        self.there = there
        self._open: set[asyncio.StreamWriter] = set()
        self._carrying: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def connections(self) -> int:
        return len(self._open)

    def cut(self) -> None:
        """Every connection is gone, amid whatever it was doing."""
        for writer in self._open:
            writer.transport.abort()

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", self.there)
            self._open |= {writer, forth}
            await asyncio.gather(_carry(reader, forth), _carry(back, writer))
        except asyncio.CancelledError:
            pass
        finally:
            self._open -= {writer}
            self._carrying.discard(task)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


class Tail:
    """`linkerd-smi audit tail -o name`, running."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def names(self, count: int) -> list[str]:
        """The next entries."""
        assert self._process.stdout is not None
        async with asyncio.timeout(60):
            return [(await self._process.stdout.readline()).decode().strip() for _ in range(count)]

    async def interrupted(self) -> tuple[int | None, str]:
        """Its exit code and stderr after Ctrl-C."""
        self._process.send_signal(signal.SIGINT)
        _, err = await asyncio.wait_for(self._process.communicate(), 30)
        return self._process.returncode, err.decode()


@asynccontextmanager
async def tail(*arguments: str) -> AsyncIterator[Tail]:
    """It runs until this is left."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reactor.cli.extension", "audit", "tail", "-o", "name"),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Tail(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
