"""docs/cli.md says what the commands say of themselves."""

from __future__ import annotations

import pytest

from tests.cli import reference


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
