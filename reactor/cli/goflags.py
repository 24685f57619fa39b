"""Commands whose flags may be written as Go's: `--proxy=false`, `-o=json`, `--as-group=[]`.

Linkerd passes its own flags on to an extension in that form, and people have it in scripts.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})


class GoCommand(click.Command):
    """A command that takes Go's spellings as well, and the global flags wherever they stand."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does it, after the spellings have been turned into click's."""
        return super().parse_args(ctx, respelled(self.get_params(ctx), args))

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own, then the global ones, then --help."""
        from reactor.cli.globals import options

        *own, last = super().get_params(ctx)
        return [*own, *options(), last]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's options, then the global ones apart."""
        from reactor.cli.globals import options

        shared = {option.name for option in options()}
        for title, wanted in (("Options", False), ("Global options", True)):
            records = [
                record
                for param in self.get_params(ctx)
                if isinstance(param, click.Option)  # arguments have a section of their own
                and (param.name in shared) is wanted
                and (record := param.get_help_record(ctx)) is not None
            ]
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def respelled(params: Sequence[click.Parameter], args: Sequence[str]) -> list[str]:
    """``args`` with `--flag=true|false`, `-f=value` and lists (`[a,b]`) as click reads them.

    A flag that is taken back (`--flag --flag=false`) is dropped: all flags are off by default.
    """
    options = {name: p for p in params if isinstance(p, click.Option) for name in p.opts}
    found: list[str] = []
    for number, arg in enumerate(args):
        if arg == "--":
            return [*found, *args[number:]]
        name, equals, value = arg.partition("=")
        option = options.get(name)
        if option is None or not equals:
            found.append(arg)
        elif option.is_flag:
            if value in _FALSE:
                found = [other for other in found if other not in option.opts]
            elif value in _TRUE:
                found.append(name)
            else:
                raise click.BadParameter(f"{value!r} is not true or false", param=option)
        elif option.multiple and value[:1] == "[" and value[-1:] == "]":
            for one in _listed(value):
                found += [f"{name}={one}"] if name.startswith("--") else [name, one]
        elif name.startswith("--"):
            found.append(arg)
        else:
            found += [name, value]
    return found


def _listed(value: str) -> list[str]:
    """The items of a list as Go prints one, `[a,b]`, in CSV."""
    import csv

    return next(csv.reader([value[1:-1]]), [])
