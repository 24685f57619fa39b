"""A sandbox for commands to talk to, and the command line in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from reactor.cli import extension
from reactor.sandbox.server import Sandbox


@dataclass
class Ended:
    code: int
    out: str
    err: str


Smi = Callable[..., Awaitable[Ended]]


@pytest_asyncio.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def linkerd_smi(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[Path], Smi]:
    """Given a kubeconfig, runs `linkerd-smi` with it in KUBECONFIG."""

    def on(kubeconfig: Path) -> Smi:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig))

        async def run(*argv: str) -> Ended:
            # In a thread, since a command makes an event loop of its own.
            code = await asyncio.to_thread(extension._run, list(argv))
            out, err = capsys.readouterr()
            return Ended(code, out, err)

        return run

    return on


@pytest.fixture
def smi(sandbox: Sandbox, tmp_path: Path, linkerd_smi: Callable[[Path], Smi]) -> Smi:
    """Runs `linkerd-smi` against the sandbox."""
    return linkerd_smi(sandbox.write_kubeconfig(tmp_path / "kubeconfig"))
