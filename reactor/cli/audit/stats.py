"""`linkerd-smi audit stats`: how much the log holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reactor.cli.audit import given
from reactor.cli.globals import Globals
from reactor.cli.goflags import GoCommand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reactor.admin.wire import Archive, Lag, Loss, Stats

_MANY = 1000
"""Rows from which on a file's size is that of its rows."""


@click.command(cls=GoCommand)
@given.source_options
@given.output_option("table", "json", "yaml")
@click.pass_context
def stats(ctx: click.Context, output: str) -> None:
    """Say how much the log holds, from when, and which rows are missing (gaps).

    \b
      linkerd smi audit stats --db audit.sqlite -o json

    Where there is an archive, what that holds too, by month, and which clusters share it; in the
    cluster, how many rows wait to be copied to it.

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
    if found.archive is None or found.lag is not None:
        _log(found)
    if found.archive is not None:
        if found.lag is not None:
            click.echo("\nIn the archive:")
        _archive(found.archive)
    if found.lag is not None:
        _lag(found.lag)
    if found.gaps:
        click.echo()
        shown.columns(
            ("ROWS LOST", "FIRST", "LAST", "WHY", "ENTRY"),
            [
                (str(gap.rows), gap.first, gap.last, gap.reason, f"{gap.run}:{gap.seq}")
                for gap in found.gaps
            ],
        )


def _log(found: Stats) -> None:
    from reactor.cli.audit import output as shown
    from reactor.units import counted

    each = f", {found.bytes / found.rows:.0f} bytes a row" if found.rows >= _MANY else ""
    unindexed = f", {counted(found.unindexed, 'row')} not in it yet" if found.unindexed else ""
    shown.fields(
        [
            ("Rows", f"{found.rows} of {counted(found.runs, 'run')}"),
            ("Oldest", found.oldest),
            ("Newest", found.newest),
            ("On disk", f"{_mebibytes(found.bytes)}{each}"),
            ("Search index", f"{_mebibytes(found.index_bytes)}{unindexed}"),
            ("Gaps", str(len(found.gaps))),
        ]
    )


def _archive(found: Archive) -> None:
    from reactor.cli.audit import output as shown
    from reactor.units import counted

    shown.fields(
        [
            ("Cluster", found.cluster),
            ("Rows", f"{found.rows} of {counted(found.runs, 'run')}"),
            ("Oldest", found.oldest),
            ("Newest", found.newest),
            ("On disk", f"{_mebibytes(found.bytes)}, of all clusters"),
            ("Lost", _lost(found.losses)),
        ]
    )
    click.echo()
    shown.columns(
        ("MONTH", "ROWS", "SIZE"),
        [(one.name, str(one.rows), _mebibytes(one.bytes)) for one in found.months],
    )
    click.echo()
    shown.columns(
        ("CLUSTER", "RUNS", "KEPT FOR", "NEWEST"),
        [
            (one.name, str(one.runs), f"{one.retention / 86400:g} d", one.newest or "")
            for one in found.clusters
        ],
    )
    if found.writers:
        click.echo()
        shown.columns(
            ("RUN WITHOUT END", "HOST", "NEWEST"),
            [(one.run, one.host, one.newest) for one in found.writers],
        )


def _lag(found: Lag) -> None:
    from reactor.cli.audit import output as shown
    from reactor.units import counted

    behind = f"{counted(found.rows, 'row')}, for {found.seconds:.1f} s" if found.rows else "none"
    click.echo()
    shown.fields([("Waiting to be copied", behind), ("In the way", found.trouble)])


def _lost(losses: Sequence[Loss]) -> str:
    from reactor.units import counted

    rows = sum(loss.rows for loss in losses)
    return f"{counted(rows, 'row')} before being copied" if rows else "none"


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"
