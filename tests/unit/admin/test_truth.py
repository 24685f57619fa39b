"""/openapi.json tells the truth: schemathesis asks what it allows and what it doesn't."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop

from reactor.admin.tail import PATH
from reactor.audit.query import Reader
from tests.unit.admin import parts
from tests.unit.audit.logs import document, entry, opened


class _Port:
    """A port on a real log, in a thread with a loop of its own: schemathesis blocks."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ready = threading.Event()
        self._loop = uvloop.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run)
        self.url = ""

    def __enter__(self) -> _Port:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        async with opened(self._path) as log:
            for number in range(50):
                log.append(entry("synced", str(number), documents=(document(str(number)),)))
            assert await log.commit()
            server = parts.server(Reader(url=str(self._path)))
            await server.start()
            self.url = f"http://127.0.0.1:{server.port}"
            self._ready.set()
            await self._stop.wait()
            await server.stop()


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Port]:
    with _Port(tmp_path_factory.mktemp("truth") / "log.sqlite") as port:
        yield port


def test_every_answer_is_one_that_is_declared(port: _Port, tmp_path: Path) -> None:
    # As a program of its own: its plugin for pytest is made for another release of it.
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{port.url}/openapi.json"),
            # It never ends: tests of its own ask it.
            *("--exclude-path", PATH),
            *("--checks", "all", "--phases", "examples,coverage,fuzzing"),
            *("--max-examples", "10", "--seed", "1", "--no-color"),
        ],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
