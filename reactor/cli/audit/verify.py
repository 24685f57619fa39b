"""`linkerd-smi audit verify`: whether the log is as it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reactor.cli.audit import given
from reactor.cli.globals import Globals
from reactor.cli.goflags import GoCommand
from reactor.cli.say import say

if TYPE_CHECKING:
    from reactor.admin.wire import Verdict


@click.command(cls=GoCommand)
@given.source_options
@click.option(
    "--anchor",
    "anchors",
    multiple=True,
    metavar="RUN:SEQ:HASH",
    help="A row that must be there: what an earlier verify printed, kept elsewhere. Of an archive"
    " one for each log: give it again, or with commas between.",
)
@given.output_option("table", "json", "yaml")
@click.pass_context
def verify(ctx: click.Context, anchors: tuple[str, ...], output: str) -> int:
    """Read the whole log and prove that no row, document or run was changed or removed.

    \b
      linkerd smi audit verify --db audit.sqlite --anchor "$(cat anchor)"

    Of an archive, the logs of all replicas that copied to it, each with its own chain; stderr says
    what retention left unprovable.

    The anchor that it prints names the newest row: kept elsewhere and given the next time, it shows
    that no tail was cut off, which the log alone can't.

    Exit codes: 0 proved, 1 it isn't (the first bad row is named) or can't be read, 2 wrong usage.
    """
    from reactor.cli.audit import output as shown
    from reactor.cli.audit.opened import opened
    from reactor.cli.cluster import run
    from reactor.client.ticking import ticking

    async def ask() -> Verdict:
        async with opened(given.Where.of(ctx), Globals.of(ctx)) as log:
            proof = log.verify(",".join(anchors) or None)
            return await ticking(proof, shown.progress, "verifying")

    found = run(ask())
    if output != "table":
        shown.machine(found, output)
    elif found.proved:
        click.echo(f"proved: {_as_written(found.rows)}")
        for anchor in found.anchors:
            click.echo(f"anchor: {anchor}")
    else:
        click.echo(f"NOT PROVED: {found.problem}")
        click.echo(_as_written(found.rows, " before that"))
    for remark in found.remarks:
        say(remark)
    return 0 if found.proved else 1


def _as_written(rows: int, where: str = "") -> str:
    if rows == 1:
        return f"1 row{where} is as it was written"
    return f"{rows} rows{where} are as they were written"
