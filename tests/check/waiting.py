"""Conditions that tests await, and a check whose stderr is a terminal."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
from collections.abc import Awaitable, Callable, Sequence

from tests.cluster.api import NAMESPACES, Api


class AtATerminal:
    """The running process; `ended` has to be awaited."""

    def __init__(self, process: subprocess.Popen[str], terminal: int) -> None:
        self._process = process
        self._terminal = terminal
        self._shown = ""

    async def shows(self, text: str) -> None:
        """Returns when the terminal has shown it."""
        async with asyncio.timeout(60.0):
            while text not in self._shown:
                self._shown += (await asyncio.to_thread(os.read, self._terminal, 4096)).decode()

    async def ended(self) -> tuple[int, str]:
        """Exit code and stdout."""
        stdout, _ = await asyncio.to_thread(self._process.communicate, None, 60.0)
        os.close(self._terminal)
        return self._process.returncode, stdout


def check_at_a_terminal(command: Sequence[str]) -> AtATerminal:
    """Starts it."""
    ours, its = pty.openpty()
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=its, text=True)
    finally:
        os.close(its)
    return AtATerminal(process, ours)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Returns when it holds: what another process does has no event here."""
    async with asyncio.timeout(60.0):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.02)


async def listens(address: str) -> bool:
    """Whether something takes connections there."""
    host, _, port = address.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def may_list(api: Api) -> bool:
    """Whether the API server has heard of a role that lets this user list namespaces."""
    status, _ = await api.request("GET", NAMESPACES.path())
    return status == 200


async def may_no_longer_patch(api: Api) -> bool:
    """Whether the API server has heard that the adaptor may not patch profiles any more."""
    spec = {
        "user": "system:serviceaccount:linkerd-smi:smi-adaptor",
        "resourceAttributes": {
            "group": "linkerd.io",
            "resource": "serviceprofiles",
            "verb": "patch",
        },
    }
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    _, answer = await api.request("POST", path, json_body={"spec": spec})
    return not answer["status"]["allowed"]
