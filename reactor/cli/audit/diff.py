"""`linkerd-smi audit diff`: a profile's overrides at two moments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reactor.cli.audit import given
from reactor.cli.globals import Globals
from reactor.cli.goflags import GoCommand
from reactor.cli.say import say

if TYPE_CHECKING:
    from reactor.admin.wire import Difference, Standing


@click.command(cls=GoCommand)
@click.argument("service", metavar="NAMESPACE/SERVICE")
@given.source_options
@click.option("--from", "before", required=True, metavar="TIME", help=f"Earlier: {given.WHEN}.")
@click.option("--to", "after", metavar="TIME", help="Later.  [default: the latest]")
@given.output_option("table", "json", "yaml", "name")
@click.pass_context
def diff(ctx: click.Context, service: str, before: str, after: str | None, output: str) -> int:
    """Compare the overrides of a service's profile at two moments.

    \b
      linkerd smi audit diff shop/web --from -2h

    `-o name` prints the entries that made them what they were, for `audit show`: none when they are
    the same.

    Exit codes: 0 they are the same, 1 they differ or the log can't be read, 2 wrong usage.
    """
    from reactor.cli.audit import entries
    from reactor.cli.audit import output as shown
    from reactor.cli.audit.opened import opened
    from reactor.cli.cluster import run

    namespace, name = given.pair(service, "service")

    async def ask() -> Difference:
        async with opened(given.Where.of(ctx), Globals.of(ctx)) as log:
            return await log.difference(namespace, name, before, after)

    found = run(ask())
    if output in ("json", "yaml"):
        shown.machine(found, output)
        return int(found.differs)
    since = [
        (label, standing, standing.entry)
        for label, standing in (("before", found.before), ("after", found.after))
        if found.differs and standing.entry is not None
    ]
    if output == "name":
        for _, _, entry in since:
            click.echo(entries.name(entry))
        return int(found.differs)
    old, new = _weights(found.before), _weights(found.after)
    rows = [
        (authority, old.get(authority, "-"), new.get(authority, "-"))
        for authority in dict.fromkeys((*old, *new))
        if old.get(authority) != new.get(authority)
    ]
    if rows:
        shown.columns(("AUTHORITY", "BEFORE", "AFTER"), rows)
    elif found.differs:
        click.echo(f"before: {_whole(found.before)}; after: {_whole(found.after)}")
    for label, standing in (("before", found.before), ("after", found.after)):
        if standing.entry is None:
            say(f"{label}: the log knows nothing of a profile of {namespace}/{name}")
        elif standing.gap is not None:
            gap = entries.name(standing.gap)
            say(f"{label}: rows were lost since ({gap}): it may have been changed")
    for label, standing, entry in since:
        actor = shown.plain(standing.actor or "unknown")
        click.echo(f"{label}: since {entry.at}, by {actor} ({entries.name(entry)})")
    if not found.differs and found.before.entry is not None:
        say("they are the same")
    return int(found.differs)


def _weights(standing: Standing) -> dict[str, str]:
    return {one.authority: str(one.weight) for one in standing.overrides or ()}


def _whole(standing: Standing) -> str:
    if standing.overrides is None:
        return "not known" if standing.entry is None else "no profile"
    return (
        ", ".join(f"{one.authority}={one.weight}" for one in standing.overrides) or "no overrides"
    )
