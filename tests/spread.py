"""Which tests a worker of pytest-xdist runs together, and which first: for tests/conftest.py."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]  # it has no types

_TOGETHER = {"tests/audit_cli", "tests/browser", "tests/chart", "tests/check", "tests/image"}
"""What their tests share takes longer than the tests: a worker alone makes it once."""
_LONG = ("tests/guide/", "tests/image/", "tests/writers/")
"""Begun last, they would leave the other workers with nothing to do."""


class Spread(LoadFileScheduling):  # type: ignore[misc]  # the same
    """A file's tests stay together, and those of some folders."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        folder = str(PurePosixPath(file).parent)
        return folder if folder in _TOGETHER else file


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts first what takes longest."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONG))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Spread | None:
    """Takes the place of `--dist loadfile`."""
    return Spread(config, log) if config.getoption("dist") == "loadfile" else None
