"""docs/cli.md says what the commands say of themselves."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli import reference
from tests.unit.cli.test_extension import HEAVY


def test_the_page_has_every_command_and_flag_as_the_commands_have_them() -> None:
    page = reference.PAGE.read_text()
    assert reference.with_commands(page) == page, "run `make docs`"


@pytest.mark.parametrize("name", reference.commands())
def test_every_command_has_a_help_that_begins_with_a_sentence(name: str) -> None:
    command = reference.commands()[name]
    assert command.help
    first = command.help.split("\n\n")[0].strip()
    assert first[0].isupper()
    assert first.endswith(".")


@pytest.mark.parametrize("name", reference.commands())
def test_the_help_of_a_command_imports_nothing_heavy(name: str) -> None:
    """A completion at each Tab imports the command that is being typed."""
    python = [sys.executable, "-X", "importtime", "-m", "reactor.cli.extension"]
    asked = [*python, *name.split(), "--help"]
    ended = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True)
    lines = ended.stderr.splitlines()
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}
    assert imported & HEAVY == set()
