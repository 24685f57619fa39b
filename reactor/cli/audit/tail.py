"""`linkerd-smi audit tail`: entries as they are written."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

from reactor.cli.audit import given
from reactor.cli.globals import Globals
from reactor.cli.goflags import GoCommand

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reactor.admin.wire import Entry

_AGAIN = 1.0
"""Seconds after a connection was lost."""
_WIDTHS = (20, 10, 36, 26, 36, 16)
_WIDE_WIDTHS = (27, 10, 36, 36, 11, 26, 36, 45, 40)


@click.command(cls=GoCommand)
@given.source_options
@given.filter_options(times=False)
@given.output_option("table", "wide", "json", "yaml", "name")
@click.pass_context
def tail(ctx: click.Context, output: str) -> int:
    """Follow the log: each entry as it is written, until Ctrl-C.

    When the connection is lost it is made anew, and goes on behind the last entry: none is missing
    and none comes twice. `-o json` is one entry a line.

    Exit codes: 130 ended by Ctrl-C, 1 the log can't be read, 2 wrong usage.
    """
    from reactor.cli.cluster import run

    # The usual end, of which click would print an empty line.
    with contextlib.suppress(KeyboardInterrupt):
        run(_follow(given.Where.of(ctx), Globals.of(ctx), given.filters(ctx), output))
    return 130


async def _follow(
    where: given.Where, flags: Globals, filters: Mapping[str, str], form: str
) -> None:
    import asyncio
    from contextlib import aclosing

    from reactor.cli.audit import output
    from reactor.cli.audit.opened import opened
    from reactor.errors import Retryable, Terminal

    begun, named = False, True
    after: str | None = None
    while True:
        held = after is not None
        try:
            async with opened(where, flags) as log:
                # From a named entry on, so that a loss before the first one loses nothing.
                after = after or (await log.newest() if named else None)
                if not begun and form in ("table", "wide"):
                    _header(form)  # from here on nothing is missed
                begun = True
                async with aclosing(log.tail(filters, after)) as entries:
                    async for entry in entries:
                        after = f"{entry.run}.{entry.seq}"
                        _print(entry, form)
        except Terminal as error:
            if error.status != 404 or after is None:
                raise
            if held:
                output.said(f"{error} Entries may be missing here; it goes on with the newest.")
            # The newest of an archive may be another adaptor's, which this one can't begin from.
            named, after = held, None
            continue
        except Retryable as error:
            if not begun:
                raise
            output.said(f"{error}; trying again")
        await asyncio.sleep(_AGAIN)


def _header(form: str) -> None:
    from reactor.cli.audit import entries, output

    if form == "wide":
        output.stream(_WIDE_WIDTHS, entries.WIDE)
    else:
        output.stream(_WIDTHS, entries.HEADER)


def _print(entry: Entry, form: str) -> None:
    import msgspec

    from reactor.cli.audit import entries, output

    if form == "json":
        click.echo(msgspec.json.encode(entry))
    elif form == "yaml":
        click.echo(
            "---\n" + output.as_yaml(msgspec.json.decode(msgspec.json.encode(entry))), nl=False
        )
    elif form == "name":
        click.echo(entries.name(entry))
    else:
        wide = form == "wide"
        output.stream(
            _WIDE_WIDTHS if wide else _WIDTHS, entries.row(entry, wide=wide, lasting=True)
        )
