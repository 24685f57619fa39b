"""Both API servers execute the same contract tests: a plugin for tests/conftest.py to name.

Named there since the process that gathers the reports of pytest-xdist's workers collects no
tests, and so would never load the conftest beside them.
"""

from __future__ import annotations

import os
import re
import sys

import pytest

SERVER = "contract-server"
"""The property of a test that says on which server it runs; it travels with the report."""


def pytest_configure(config: pytest.Config) -> None:
    """Watches where all reports come together."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Parity(), "contract-parity")


class _Parity:
    """Fails a run of CI unless both servers executed the same tests."""

    def __init__(self) -> None:
        self._ran: dict[str, set[str]] = {"sandbox": set(), "real": set()}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        server = dict(report.user_properties).get(SERVER)
        if server is not None and report.when == "call" and not report.skipped:
            test = re.sub(rf"(?<=[\[-]){server}(?=[\]-])", "*", report.nodeid)
            self._ran[str(server)].add(test)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        different = sorted(self._ran["sandbox"] ^ self._ran["real"])
        if different and os.environ.get("CI") == "true" and not session.config.option.keyword:
            print(f"\nexecuted on one API server alone: {', '.join(different)}", file=sys.stderr)
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
