"""`linkerd-smi version`, and what Linkerd asks of every extension."""

from __future__ import annotations

import click

from reactor import __version__


@click.command()
@click.option("--client", is_flag=True, help="Print the client's version only.")
@click.option("--short", is_flag=True, help="Print the number alone.")
def version(client: bool, short: bool) -> None:
    """Print the version."""
    # What runs in the cluster is not asked yet, so --client changes nothing but is understood.
    click.echo(__version__ if short else f"Client version: {__version__}")


@click.command()
def extension_metadata() -> None:
    """Answer `linkerd check`, which calls this on every linkerd-* on PATH."""
    # No "checks": "always": that would run our check on clusters without SMI.
    click.echo('{"name":"linkerd-smi"}')
