"""The command in this process, a log's file, and a running adaptor."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from reactor.cli import extension
from tests.audit_cli.story import Story, told


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, of `-o json`."""
        return json.loads(self.out)


Smi = Callable[..., Awaitable[Ended]]
Audit = Smi


@pytest.fixture
def smi(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Smi:
    """Runs `linkerd-smi`."""
    monkeypatch.delenv("LINKERD_SMI_TOKEN", raising=False)
    monkeypatch.delenv("LINKERD_SMI_DB", raising=False)
    monkeypatch.setenv("KUBECONFIG", "/none")

    async def run(*argv: str | Path) -> Ended:
        # In a thread, since a command makes an event loop of its own.
        code = await asyncio.to_thread(extension._run, list(map(str, argv)))
        out, err = capsys.readouterr()
        return Ended(code, out, err)

    return run


@pytest.fixture
def audit(smi: Smi) -> Audit:
    """Runs `linkerd-smi audit`."""
    return partial(smi, "audit")


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of the story, its adaptor ended."""
    folder = tmp_path_factory.mktemp("written")

    async def write() -> None:
        async with told(folder):
            pass

    with ThreadPoolExecutor(1) as executor:
        executor.submit(asyncio.run, write()).result()
    return folder / "audit.sqlite"


@pytest.fixture
def log(written: Path, tmp_path: Path) -> Path:
    """A copy of it for the test alone."""
    for path in written.parent.glob("audit.sqlite*"):
        shutil.copy(path, tmp_path)
    return tmp_path / "audit.sqlite"


@pytest_asyncio.fixture
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    """The story, its adaptor running."""
    async with told(tmp_path, "--admin-auth=none") as story:
        yield story
