"""`linkerd-smi`, which Linkerd finds on PATH as `linkerd smi`: a group of lazy commands."""

from __future__ import annotations

import importlib
import sys
from typing import NoReturn

import click

# Name: where it is, and its line in --help, so that listing commands imports none of them.
_COMMANDS = {
    "sandbox": ("reactor.cli.sandbox:sandbox", "Try it: a small API server and the adaptor."),
    "version": ("reactor.cli.version:version", "Print the version."),
}
# Linkerd calls it on every `linkerd-*` on PATH; people need not see it.
_HIDDEN = {"_extension-metadata": "reactor.cli.version:extension_metadata"}


class LazyGroup(click.Group):
    """A group that imports a command when it runs: `linkerd check` waits for all of us."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _HIDDEN:
            return _load(_HIDDEN[cmd_name])
        return _load(_COMMANDS[cmd_name][0]) if cmd_name in _COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name][1]) for name in self.list_commands(ctx)])


def _load(target: str) -> click.Command:
    module, _, attribute = target.partition(":")
    command = getattr(importlib.import_module(module), attribute)
    assert isinstance(command, click.Command), target
    return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def smi() -> None:
    """Manages the SMI extension of the Linkerd service mesh."""


def main() -> None:
    """The console script: whatever goes wrong is one line."""
    from reactor.errors import Fatal

    try:
        smi(prog_name="linkerd-smi")
    except Fatal as error:
        _end(str(error), error.code)
    except Exception as error:
        _end(f"unexpected error: {type(error).__name__}: {error}", 1)


def _end(message: str, code: int) -> NoReturn:
    print(f"linkerd-smi: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
