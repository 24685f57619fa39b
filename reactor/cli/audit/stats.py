"""`linkerd-smi audit stats`: how much the log holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reactor.cli.audit import given
from reactor.cli.globals import Globals
from reactor.cli.goflags import GoCommand

if TYPE_CHECKING:
    from reactor.admin.wire import Stats

_MANY = 1000
"""Rows from which on a file's size is that of its rows."""


@click.command(cls=GoCommand)
@given.source_options
@given.output_option("table", "json", "yaml")
@click.pass_context
def stats(ctx: click.Context, output: str) -> None:
    """Say how much the log holds, from when, and which rows are missing (gaps).

    Exit codes: 0 said, 1 the log can't be read, 2 wrong usage.
    """
    from reactor.cli.audit import output as shown
    from reactor.cli.audit.opened import opened
    from reactor.cli.cluster import run

    async def ask() -> Stats:
        async with opened(given.Where.of(ctx), Globals.of(ctx)) as log:
            return await log.stats()

    found = run(ask())
    if output != "table":
        shown.machine(found, output)
        return
    each = f", {found.bytes / found.rows:.0f} bytes a row" if found.rows >= _MANY else ""
    unindexed = f", {found.unindexed} rows not in it yet" if found.unindexed else ""
    shown.fields(
        [
            ("Rows", f"{found.rows} of {found.runs} runs"),
            ("Oldest", found.oldest),
            ("Newest", found.newest),
            ("On disk", f"{_mebibytes(found.bytes)}{each}"),
            ("Search index", f"{_mebibytes(found.index_bytes)}{unindexed}"),
            ("Gaps", str(len(found.gaps))),
        ]
    )
    if found.gaps:
        click.echo()
        shown.columns(
            ("ROWS LOST", "FIRST", "LAST", "WHY", "ENTRY"),
            [
                (str(gap.rows), gap.first, gap.last, gap.reason, f"{gap.run}:{gap.seq}")
                for gap in found.gaps
            ],
        )


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"
