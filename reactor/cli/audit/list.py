"""`linkerd-smi audit list`: entries under filters."""

from __future__ import annotations

import click

from reactor.cli.audit import given
from reactor.cli.globals import Globals
from reactor.cli.goflags import GoCommand
from reactor.cli.say import say


@click.command("list", cls=GoCommand)
@given.source_options
@given.filter_options()
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000),
    default=50,
    show_default=True,
    metavar="N",
    help="How many entries at most.",
)
@click.option(
    "--order",
    type=click.Choice(["newest", "oldest"]),
    default="newest",
    show_default=True,
    help="Which comes first.",
)
@given.output_option("table", "wide", "json", "yaml", "name")
@click.pass_context
def list_(ctx: click.Context, limit: int, order: str, output: str) -> None:
    """List entries of the audit log.

    \b
      linkerd smi audit list -n shop --since -2h --order oldest
      linkerd smi audit list --outcome failed -o json

    All filters together say what an entry has to be. `-o name` prints what `audit show` takes;
    `-o json` is {"entries": [...], "more": BOOL}, the entries as the adaptor's port has them.

    Exit codes: 0 listed, maybe none; 1 the log can't be read; 2 wrong usage.
    """
    from reactor.cli.audit import entries
    from reactor.cli.audit import output as shown
    from reactor.cli.audit.opened import opened
    from reactor.cli.cluster import run
    from reactor.client.log import Found

    async def ask() -> Found:
        async with opened(given.Where.of(ctx), Globals.of(ctx)) as log:
            found = await log.entries(
                given.filters(ctx),
                limit=limit,
                order=order,
                progress=lambda count: shown.progress(f"entries so far: {count}"),
            )
            shown.progress("")
            return found

    found = run(ask())
    if output in ("json", "yaml"):
        shown.machine(found, output)
        return
    if output == "name":
        for entry in found.entries:
            click.echo(entries.name(entry))
    elif found.entries:
        entries.show(found.entries, output)
    else:
        say("no entry passes the filters")
    if found.more:
        say(f"there are more than {limit}: see --limit, or the filters")
