"""`linkerd-smi version`, and what Linkerd asks of every extension."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reactor import __version__
from reactor.cli.globals import Globals
from reactor.cli.goflags import GoCommand
from reactor.cli.say import say

if TYPE_CHECKING:
    from reactor.check.kinds import Deployment
    from reactor.kube.connection import Connection

_UNAVAILABLE = "unavailable"


@click.command(cls=GoCommand)
@click.option("--client", is_flag=True, help="Print the client's version only.")
@click.option("--short", is_flag=True, help="Print the numbers alone.")
def version(client: bool, short: bool) -> None:
    """Print the versions of this program and of the adaptor in the cluster.

    The adaptor's is `unavailable` when the cluster doesn't answer or has none; stderr says why,
    and that is no failure. The exit code is 1 when there is no cluster to ask.
    """
    _show("Client", __version__, short)
    if client:
        return
    from reactor.cli.cluster import connect, run

    given = Globals.of(click.get_current_context())
    found, why = run(_server(connect(given)))
    _show("Server", found, short)
    if why:
        say(why)


@click.command(cls=GoCommand)
def extension_metadata() -> None:
    """Answer `linkerd check`, which calls this on every linkerd-* on PATH."""
    # No "checks": "always": that would run our check on clusters without SMI.
    click.echo('{"name":"linkerd-smi"}')


def _show(side: str, number: str, short: bool) -> None:
    click.echo(number if short else f"{side} version: {number}")


async def _server(connection: Connection) -> tuple[str, str]:
    """What runs in the cluster, else `unavailable` and why."""
    from reactor.check.cluster import Cluster
    from reactor.cli.cluster import soon
    from reactor.errors import Retryable, Terminal

    async with connection:
        try:
            found = await soon(connection, Cluster(connection).deployments())
        except (Retryable, Terminal) as error:
            return _UNAVAILABLE, str(error)
    if not found:
        return _UNAVAILABLE, "there is no smi-adaptor in the cluster: linkerd smi install"
    return ", ".join(sorted({_number(one) for one in found})), ""


def _number(deployment: Deployment) -> str:
    """The image's tag; of an image that is pinned by digest alone, what the chart says of it."""
    from reactor.check import adaptor

    container = adaptor.container(deployment.spec.template.spec)
    labels = deployment.metadata.labels or {}
    return (
        adaptor.tag(container.image if container is not None else "")
        or labels.get("app.kubernetes.io/version")
        or _UNAVAILABLE
    )
