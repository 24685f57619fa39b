"""Groups that import a command when it runs: `linkerd check` waits for all of us."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from reactor.cli.globals import options
from reactor.cli.goflags import respelled

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class LazyGroup(click.Group):
    """``lazy``: by a command's name where it is and its line in --help, so that listing commands
    imports none of them; ``hidden``: where those are that people need not see. The global flags may
    also stand before the command.
    """

    def __init__(
        self,
        *,
        lazy: Mapping[str, tuple[str, str]],
        hidden: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self._lazy = lazy
        self._hidden = hidden or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self._hidden:
            return _load(self._hidden[cmd_name])
        return _load(self._lazy[cmd_name][0]) if cmd_name in self._lazy else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            meant = get_close_matches(args[0], self._lazy, n=1)
            hint = (
                f"Did you mean {meant[0]}?" if meant else f"{ctx.command_path} --help lists them."
            )
            raise click.UsageError(f"{error.message} {hint}", ctx) from error

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*options(), *super().get_params(ctx)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, respelled(self.get_params(ctx), args))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._lazy[name][1]) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        from click.shell_completion import CompletionItem

        # Not the group's own, which imports every command to show its help.
        return [
            *(
                CompletionItem(name, help=self._lazy[name][1])
                for name in self.list_commands(ctx)
                if name.startswith(incomplete)
            ),
            *click.Command.shell_complete(self, ctx, incomplete),
        ]


def _load(target: str) -> click.Command:
    module, _, attribute = target.partition(":")
    command = getattr(importlib.import_module(module), attribute)
    assert isinstance(command, click.Command), target
    return command
