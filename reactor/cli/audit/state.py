"""`linkerd-smi audit state`: a profile's overrides at a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reactor.cli.audit import given
from reactor.cli.globals import Globals
from reactor.cli.goflags import GoCommand
from reactor.cli.say import say

if TYPE_CHECKING:
    from reactor.admin.wire import Standing


@click.command(cls=GoCommand)
@click.argument("service", metavar="NAMESPACE/SERVICE")
@given.source_options
@click.option("--at", metavar="TIME", help=f"The moment: {given.WHEN}.  [default: the latest]")
@given.output_option("table", "json", "yaml", "name")
@click.pass_context
def state(ctx: click.Context, service: str, at: str | None, output: str) -> None:
    """Show the overrides of a service's profile as they stood, and the entry that made them so.

    \b
      linkerd smi audit state shop/web --at -2h

    WEIGHT is as the profile has it: 1k is 1000, 500m a half. `-o name` prints that entry alone, for
    `audit show`.

    Exit codes: 0 shown, maybe that nothing is known; 1 the log can't be read; 2
    wrong usage.
    """
    from reactor.cli.audit import entries
    from reactor.cli.audit import output as shown
    from reactor.cli.audit.opened import opened
    from reactor.cli.cluster import run

    namespace, name = given.pair(service, "service")

    async def ask() -> Standing:
        async with opened(given.Where.of(ctx), Globals.of(ctx)) as log:
            return await log.standing(namespace, name, at)

    found = run(ask())
    if output in ("json", "yaml"):
        shown.machine(found, output)
        return
    if found.entry is None:
        say(f"the log knows nothing of a profile of {namespace}/{name} from then or before")
        return
    where = entries.name(found.entry)
    if output == "name":
        click.echo(where)
        return
    if found.overrides:
        shown.columns(
            ("AUTHORITY", "WEIGHT"), [(one.authority, str(one.weight)) for one in found.overrides]
        )
    else:
        click.echo("no profile" if found.overrides is None else "no overrides")
    click.echo(f"since {found.entry.at}, by {shown.plain(found.actor or 'unknown')} ({where})")
    if found.gap is not None:
        say(f"rows were lost since ({entries.name(found.gap)}): it may have been changed")
