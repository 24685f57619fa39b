"""`linkerd-smi _namespace-metadata`: what the chart's Job runs, with extension-init's flags."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reactor.cli.globals import Globals, namespace
from reactor.cli.goflags import GoCommand

if TYPE_CHECKING:
    from reactor.kube.connection import Connection


@click.command(cls=GoCommand)
@click.option("--extension", default="smi", help="What the namespace is labelled with.")
@click.option("--namespace", "name", required=True, help="The namespace to label.")
@click.pass_context
def namespace_metadata(ctx: click.Context, extension: str, name: str) -> None:
    """Label a namespace, so that Linkerd finds the extension in it."""
    from reactor.cli.cluster import connect, run

    given = Globals.of(ctx)
    namespace("--namespace", name)
    run(_label(connect(given), name, extension))
    click.echo(f"namespace/{name} labeled linkerd.io/extension={extension}", err=True)


async def _label(connection: Connection, name: str, extension: str) -> None:
    import msgspec

    from reactor.kube.connection import MERGE_PATCH

    patch = {"metadata": {"labels": {"linkerd.io/extension": extension}}}
    async with connection:
        await connection.request(
            "PATCH",
            f"/api/v1/namespaces/{name}",
            body=msgspec.json.encode(patch),
            content_type=MERGE_PATCH,
        )
