"""docs/cli.md says what the commands say of themselves."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import click
import pytest

from reactor.cli.extension import smi
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


@pytest.mark.parametrize(
    "name", [name for name in reference.commands() if name.split()[0] in ("audit", "replay")]
)
def test_the_help_of_a_command_on_the_log_has_examples_that_it_takes(name: str) -> None:
    """And says what its exit codes are."""
    help_ = reference.commands()[name].help or ""
    examples = re.findall(r"^ +linkerd[ -]smi ((?:.|\\\n)+?)(?:   |$)", help_, re.MULTILINE)
    assert examples
    for example in examples:
        words = shlex.split(example.replace("\\\n", ""))
        words = words[: next((n for n, word in enumerate(words) if word in "|>"), None)]
        found = next(
            known for known in (" ".join(words[:2]), words[0]) if known in reference.commands()
        )
        command = reference.commands()[found]
        command.make_context(found, words[len(found.split()) :], parent=click.Context(smi))
    assert name == "audit" or "Exit codes: 0 " in help_ or "Exit codes: 130 " in help_


@pytest.mark.parametrize("name", reference.commands())
def test_the_help_of_a_command_imports_nothing_heavy(name: str) -> None:
    """A completion at each Tab imports the command that is being typed."""
    python = [sys.executable, "-X", "importtime", "-m", "reactor.cli.extension"]
    asked = [*python, *name.split(), "--help"]
    ended = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True)
    lines = ended.stderr.splitlines()
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}
    assert imported & HEAVY == set()
