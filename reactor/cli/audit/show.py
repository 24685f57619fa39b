"""`linkerd-smi audit show`: one entry in full."""

from __future__ import annotations

import click

from reactor.cli.audit import given
from reactor.cli.globals import Globals
from reactor.cli.goflags import GoCommand

_RELATED = 100


@click.command(cls=GoCommand)
@click.argument("entry", metavar="RUN:SEQ")
@given.source_options
@given.output_option("table", "json", "yaml")
@click.pass_context
def show(ctx: click.Context, entry: str, output: str) -> None:
    """Show one entry in full, with its documents and the others of its reconciliation.

    \b
      linkerd smi audit show 01a20827-3bca:33

    RUN:SEQ is what `audit list -o name` prints; the beginning of RUN is enough where no other run
    begins so. A document that retention took is null.

    Exit codes: 0 shown, 1 there is no such entry or the log can't be read, 2 wrong usage.
    """
    from typing import Any

    import msgspec

    from reactor.admin.wire import Entry
    from reactor.cli.audit import entries
    from reactor.cli.audit import output as shown
    from reactor.cli.audit.opened import opened
    from reactor.cli.cluster import run

    async def ask() -> tuple[Entry, dict[str, Any], list[Entry]]:
        async with opened(given.Where.of(ctx), Globals.of(ctx)) as log:
            found = await log.entry(entry)
            documents = {digest: await log.document(digest) for digest in found.documents}
            related: list[Entry] = []
            if found.reconcile is not None:
                others = await log.entries(
                    {"reconcile": found.reconcile}, limit=_RELATED, order="oldest"
                )
                related = [
                    one for one in others.entries if entries.name(one) != entries.name(found)
                ]
            return found, documents, related

    found, documents, related = run(ask())
    if output != "table":
        shown.machine({"entry": found, "documents": documents, "reconcile": related}, output)
        return
    shown.fields(
        [
            ("Entry", entries.name(found)),
            ("Time", found.at),
            ("Kind", found.kind),
            ("Namespace", found.namespace),
            ("Split", found.split),
            ("Service", found.service),
            ("Outcome", found.outcome),
            ("Actor", found.actor),
            ("Reconcile", found.reconcile),
            ("ResourceVersion", found.resource_version),
            ("Hash", found.hash),
        ]
    )
    click.echo("\nDetail:")
    click.echo(_indented(shown.as_yaml(msgspec.json.decode(found.detail))), nl=False)
    for digest, body in documents.items():
        click.echo(f"\nDocument {digest}:")
        text = "gone: retention took it\n" if body is None else shown.as_yaml(body)
        click.echo(_indented(text), nl=False)
    if related:
        click.echo("\nThe same reconciliation:")
        entries.show(related, "table")


def _indented(text: str) -> str:
    return "".join(f"  {line}" for line in text.splitlines(keepends=True))
