"""The reference of `linkerd-smi` in docs/cli.md, written from the commands themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from inspect import cleandoc
from pathlib import Path

import click

from reactor.cli.extension import smi
from reactor.cli.globals import options
from tests.marks import written

BAR = r"\|"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"


def with_commands(page: str) -> str:
    """``page`` with everything between its marks as the commands say it."""
    return written(page, "commands", re.sub(r"\n{3,}", "\n\n", "\n".join(_everything())))


def commands() -> dict[str, click.Command]:
    """The commands that people see, by name; those of a group behind it, as `audit list`."""
    return dict(_within(smi, ""))


def _within(group: click.Group, before: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        yield f"{before}{name}", command
        if isinstance(command, click.Group):
            yield from _within(command, f"{before}{name} ")


def flags(command: click.Command) -> set[str]:
    """Every spelling of every flag that a command takes, the hidden and global ones too."""
    context = click.Context(command, parent=click.Context(smi))
    return {name for param in command.get_params(context) for name in (*param.opts, "--help")}


def _everything() -> Iterator[str]:
    yield "## Global flags"
    yield ""
    yield "They stand before or after the name of a command."
    yield ""
    yield from _table(options())
    shared = {option.name for option in options()}
    for name, command in commands().items():
        context = click.Context(command, info_name=name, parent=click.Context(smi))
        pieces = " ".join(piece for piece in command.collect_usage_pieces(context))
        yield ""
        yield f"## linkerd-smi {name}"
        yield ""
        yield f"`linkerd-smi {name} {pieces.replace('[OPTIONS]', '[flags]')}`"
        yield ""
        yield from _text(command.help or "")
        yield from _table(
            param
            for param in command.get_params(context)
            if param.name not in shared and "--help" not in param.opts
        )


def _text(help_: str) -> Iterator[str]:
    for paragraph in cleandoc(help_).split("\n\n"):
        if paragraph.startswith("\b"):
            yield from ("```", *paragraph.splitlines()[1:], "```")
        else:
            yield " ".join(paragraph.split())
        yield ""


def _table(params: Iterable[click.Parameter]) -> Iterator[str]:
    context = click.Context(smi)
    options_ = [param for param in params if isinstance(param, click.Option)]
    records = [record for option in options_ if (record := option.get_help_record(context))]
    if not records:
        return
    yield "| flag | what it does |"
    yield "|---|---|"
    for names, text in records:
        cells = f"`{names}`", " ".join(text.split())
        yield f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"
