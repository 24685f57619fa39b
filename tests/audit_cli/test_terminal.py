"""What a person at a terminal sees."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reactor.cli.audit import output, times
from tests.audit_cli.story import SPLIT

_COLOUR = re.compile(r"\x1b\[3\dm")


def at_a_terminal(*arguments: str | Path, width: int = 160, **environment: str) -> str:
    """All that `linkerd-smi audit` shows there."""
    ours, its = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "reactor.cli.extension", "audit", *map(str, arguments)],
            stdout=its,
            stderr=its,
            env={**os.environ, "TERM": "xterm", "COLUMNS": str(width), **environment},
        )
    finally:
        os.close(its)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:
        pass  # the other side is closed
    finally:
        os.close(ours)
    assert process.wait(60) == 0
    return shown.decode()


def test_times_are_relative_and_outcomes_have_colours(log: Path) -> None:
    shown = at_a_terminal("history", "--db", log, SPLIT)
    assert re.search(r"\d+s ago", shown)
    assert "\x1b[32mpatched" in shown


def test_no_color_is_heeded(log: Path) -> None:
    shown = at_a_terminal("history", "--db", log, SPLIT, NO_COLOR="1")
    assert "patched" in shown
    assert not _COLOUR.search(shown)


def test_a_narrow_terminal_cuts_nothing_off(log: Path) -> None:
    shown = at_a_terminal("list", "--db", log, width=80, NO_COLOR="1")
    plain = re.sub(r"\x1b\[[0-9]*[mK]", "", shown)
    assert all(len(line) <= 80 for line in plain.splitlines())
    assert "…" not in plain


def test_machines_get_exact_times_and_no_colour_at_a_terminal_too(log: Path) -> None:
    shown = at_a_terminal("list", "--db", log, "-o", "json", "--limit", "1")
    assert '"at": "2' in shown
    assert not _COLOUR.search(shown)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0s ago"),
        (59, "59s ago"),
        (61, "1m1s ago"),
        (3600, "1h ago"),
        (45 * 60 + 5, "45m ago"),
        (2 * 86400 + 3 * 3600 + 5, "2d3h ago"),
    ],
)
def test_an_age_has_two_units_at_most(seconds: int, shown: str) -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    assert times.ago((now - timedelta(seconds=seconds)).isoformat(), now) == shown


def test_what_others_wrote_can_not_steer_the_terminal() -> None:
    assert output.plain("a\x1b[2Jb\nc\x9bd") == "a [2Jb c d"
