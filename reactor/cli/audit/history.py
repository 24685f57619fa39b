"""`linkerd-smi audit history`: a split, change by change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reactor.cli.audit import given
from reactor.cli.globals import Globals
from reactor.cli.goflags import GoCommand
from reactor.cli.say import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reactor.admin.wire import Change, History
    from reactor.audit.query.history import Weight


@click.command(cls=GoCommand)
@click.argument("split", metavar="NAMESPACE/SPLIT")
@given.source_options
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    metavar="N",
    help="How many changes at most.",
)
@given.output_option("table", "wide", "json", "yaml", "name")
@click.pass_context
def history(ctx: click.Context, split: str, limit: int, output: str) -> None:
    """Tell what became of a split: who changed it, to what, and when that took effect.

    \b
      linkerd smi audit history shop/canary -o wide --limit 5

    Newest first. ACTOR is a field manager, as kubectl or a controller calls itself; WEIGHTS are
    before and after; TOOK is from the change until the profile was written. A change without an
    outcome was overtaken by a later one, or isn't through yet.

    Exit codes: 0 told, maybe nothing; 1 the log can't be read; 2 wrong usage.
    """
    from reactor.cli.audit import entries
    from reactor.cli.audit import output as shown
    from reactor.cli.audit.opened import opened
    from reactor.cli.cluster import run

    namespace, name = given.pair(split, "split")

    async def ask() -> History:
        async with opened(given.Where.of(ctx), Globals.of(ctx)) as log:
            return await log.history(namespace, name, limit=limit)

    found = run(ask())
    if output in ("json", "yaml"):
        shown.machine(found, output)
        return
    if output == "name":
        for change in found.changes:
            click.echo(entries.name(change.entry))
    elif found.changes:
        wide = output == "wide"
        header = ("TIME", "ACTOR", "CHANGE", "WEIGHTS", "OUTCOME", "TOOK", "FINDINGS")
        shown.columns(
            (*header, "ENTRY") if wide else header,
            [_row(change, wide=wide) for change in found.changes],
        )
    else:
        say(f"the log has no change of {namespace}/{name}")
    if found.next is not None:
        say(f"there are earlier changes: see --limit (now {limit})")


def _row(change: Change, *, wide: bool) -> list[str | None]:
    from reactor.cli.audit import entries, times
    from reactor.cli.audit import output as shown

    ended = change.ended
    total = None if ended is None else ended.durations.get("total")
    findings = [] if change.decided is None else change.decided.findings
    cells = [
        shown.when(change.entry.at, wide=wide),
        change.actor,
        change.type,
        _weights(change),
        None if ended is None else ended.outcome,
        None if total is None else times.took(total),
        ", ".join(dict.fromkeys(finding["reason"] for finding in findings)),
    ]
    return [*cells, entries.name(change.entry)] if wide else cells


def _weights(change: Change) -> str:
    before, after = _told(change.before), _told(change.after)
    if before == after:
        return after or "-"
    # Of a change whose past retention took nobody knows what was before.
    absent = "none" if change.type == "added" else "?"
    return f"{before or absent} -> {after or 'none'}"


def _told(weights: Sequence[Weight] | None) -> str:
    import msgspec

    if weights is None:
        return ""
    return " ".join(f"{one.service}={msgspec.json.decode(one.weight)}" for one in weights)
