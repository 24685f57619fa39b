"""Linkerd's own destination controller, and the client that proxies' questions come from."""

from __future__ import annotations

import asyncio
import re
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import binaries
from tests.cluster.ports import free_port
from tests.cluster.process import Server

# What a proxy adds up in 32 bits (linkerd2-proxy: the sum of a service's override weights).
LARGEST_SUM = 2**32 - 1
# dst_overrides:{authority:"web.ns.svc.cluster.local:8080" weight:5000000}; a weight of 0 is left
# out, and the log line that carries it escapes the quotes.
_OVERRIDE = re.compile(r"dst_overrides:\{authority:\"([^\"]+)\"\s*(?:weight:(\d+))?\s*\}")


@dataclass(frozen=True)
class Destination:
    """One override as a proxy gets it: host without its port, weight in ten-thousandths."""

    host: str
    weight: int


class DestinationController(Server):
    """Runs `linkerd-controller destination` against a cluster; synchronous like ControlPlane.

    The cluster needs Linkerd's definitions (prepare_for_linkerd) and one EndpointSlice.
    """

    def __init__(self, directory: Path, *, kubeconfig: Path) -> None:
        super().__init__()
        self._directory = directory
        self._kubeconfig = kubeconfig
        self._address = f"127.0.0.1:{free_port()}"
        self._admin_address = f"127.0.0.1:{free_port()}"

    def start(self) -> None:
        """Returns when its caches are filled. Raises binaries.Unavailable."""
        program = binaries.path_of(binaries.LINKERD_CONTROLLER)
        self._directory.mkdir(parents=True, exist_ok=True)
        self._launch(
            "linkerd-destination",
            [
                str(program),
                "destination",
                "-addr",
                self._address,
                "-metrics-addr",
                self._admin_address,
                "-kubeconfig",
                str(self._kubeconfig),
                "-cluster-domain",
                "cluster.local",
                "-identity-trust-domain",
                "cluster.local",
                "-default-opaque-ports",
                "25",
            ],
            log=self._directory / "destination.log",
            environment={"HOSTNAME": "linkerd-destination"},
            ready=self._ready,
            timeout=60.0,
        )

    @asynccontextmanager
    async def profile(self, path: str) -> AsyncIterator[ProfileStream]:
        """The answers to getProfile for `host:port`, as they change."""
        process = await asyncio.create_subprocess_exec(
            str(binaries.path_of(binaries.DESTINATION_CLIENT)),
            *("-addr", self._address, "-method", "getProfile", "-path", path),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            if process.stderr is None:
                raise RuntimeError("destination-client has no output")
            yield ProfileStream(process.stderr)
        finally:
            if process.returncode is None:
                process.kill()
            # Reads to the end too, or the pipe would outlive the process.
            await process.communicate()

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self._admin_address}/ready", timeout=5.0):
                return True
        except (urllib.error.URLError, OSError):
            return False


class ProfileStream:
    """The overrides of one service as destination-client prints them."""

    def __init__(self, lines: asyncio.StreamReader) -> None:
        self._lines = lines

    async def wait_for(
        self, condition: Callable[[list[Destination]], object], *, timeout: float = 45.0
    ) -> list[Destination]:
        """The first answer from now on that the condition holds for."""
        last = "none"
        try:
            async with asyncio.timeout(timeout):
                while line := await self._lines.readline():
                    last = line.decode()
                    if "fully_qualified_name" in last:
                        found = overrides_in(last)
                        if condition(found):
                            return found
        except TimeoutError as error:
            raise TimeoutError(f"no such profile in {timeout} s; last answer: {last}") from error
        raise RuntimeError(f"destination-client ended: {last}")


def overrides_in(line: str) -> list[Destination]:
    """The dst_overrides of a printed profile, in their order."""
    found = _OVERRIDE.findall(line.replace('\\"', '"'))
    return [
        Destination(authority.rpartition(":")[0], int(weight or 0)) for authority, weight in found
    ]
