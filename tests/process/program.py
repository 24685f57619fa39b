"""`smi-adaptor` as someone starts it by hand, with all it prints."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import urllib.error
import urllib.request
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.cluster.ports import free_port
from tests.contract.waiting import until

PROGRAM = str(Path(sys.executable).with_name("smi-adaptor"))
NOBODY = "http://127.0.0.1:1"
"""A server that refuses every connection."""
_PAUSE = 0.05
"""Seconds between two questions: to answer them costs the program time that it starts with."""


def write_kubeconfig(
    path: Path, server: str = NOBODY, user: Mapping[str, object] | None = None
) -> Path:
    """One that names this server and user."""
    path.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "here",
                "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
                "clusters": [{"name": "here", "cluster": {"server": server}}],
                "users": [{"name": "me", "user": user or {"token": "secret"}}],
            }
        )
    )
    return path


class Program:
    """One run. Leave it as a context manager; `end` gives the exit code."""

    def __init__(
        self,
        directory: Path,
        *flags: str,
        kubeconfig: Path,
        inside: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """``inside``: a command that runs the program in some other surroundings; ``variables``
        are its environment's, besides PATH.
        """
        self._environment = {"PATH": os.environ["PATH"], **(variables or {})}
        self._port = free_port()
        self._command = [
            *inside,
            PROGRAM,
            f"-kubeconfig={kubeconfig}",
            f"-metrics-addr=127.0.0.1:{self._port}",
            f"-audit-url={directory / 'audit.sqlite'}",
            "-admin-auth=none",
            *flags,
        ]
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self.lines: list[str] = []

    async def __aenter__(self) -> Program:
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdout=asyncio.subprocess.DEVNULL, stderr=PIPE, env=self._environment
        )
        self._reading = asyncio.create_task(self._read(self._process))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        assert self._reading is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._reading

    async def _read(self, process: Process) -> None:
        assert process.stderr is not None
        async for line in process.stderr:
            self.lines.append(line.decode().rstrip("\n"))

    async def end(self, timeout: float = 60.0) -> int:
        """Wait until it has ended by itself."""
        assert self._process is not None
        assert self._reading is not None
        async with asyncio.timeout(timeout):
            code = await self._process.wait()
            await asyncio.shield(self._reading)
        return code

    async def stop(self) -> int:
        """Ask it to end, as a pod does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return await self.end(10.0)

    async def prints(self, words: str, timeout: float = 60.0) -> str:
        """The first line that holds these words, as soon as it is there."""
        await until(lambda: self._found(words), timeout)
        return self._found(words) or ""

    def _found(self, words: str) -> str | None:
        return next((line for line in self.lines if words in line), None)

    async def readiness(
        self, accept: Callable[[int, str], bool], timeout: float = 60.0
    ) -> tuple[int, str]:
        """Status and text of /ready, as soon as they are so."""
        async with asyncio.timeout(timeout):
            while True:
                found = await asyncio.to_thread(self._ask, "/ready")
                if found is not None and accept(*found):
                    return found
                await asyncio.sleep(_PAUSE)

    async def tells(self, path: str) -> str:
        """What the port answers, be it an error: headers and body."""
        answer = await asyncio.to_thread(self._request, path)
        assert answer is not None, f"{path}: no answer"
        return answer[1] + answer[2]

    async def counts(self, metric: str, least: float, timeout: float = 60.0) -> None:
        """Wait until a metric, named with its labels, is this much."""

        def value(text: str) -> float:
            found = [line for line in text.splitlines() if line.startswith(metric)]
            return float(found[0].rpartition(" ")[2]) if found else 0.0

        async with asyncio.timeout(timeout):
            while True:
                found = await asyncio.to_thread(self._ask, "/metrics")
                if found is not None and value(found[1]) >= least:
                    return
                await asyncio.sleep(_PAUSE)

    def _ask(self, path: str) -> tuple[int, str] | None:
        answer = self._request(path)
        return answer and (answer[0], answer[2])

    def _request(self, path: str) -> tuple[int, str, str] | None:
        url = f"http://127.0.0.1:{self._port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=5.0) as answer:
                return answer.status, str(answer.headers), answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, str(error.headers), error.read().decode()
        except OSError:
            return None
