"""`linkerd-smi install`: prints the objects that make the extension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reactor.cli.globals import Globals, namespace
from reactor.cli.goflags import GoCommand
from reactor.cli.say import say
from reactor.errors import Fatal

if TYPE_CHECKING:
    from reactor.kube.connection import Connection

Object = dict[str, Any]


@click.command(cls=GoCommand)
@click.option(
    "-f",
    "--values",
    "files",
    multiple=True,
    metavar="FILE|URL|-",
    help="A file with values; may be given more than once, later ones win.",
)
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="NAME=VALUE",
    help="A value, in Helm's grammar: a.b=1,c[0]=x,d={y,z},e=null.",
)
@click.option(
    "--set-string",
    "texts",
    multiple=True,
    metavar="NAME=TEXT",
    help="The same, but 1 and true are texts.",
)
@click.option(
    "--set-file",
    "contents",
    multiple=True,
    metavar="NAME=FILE",
    help="The same, with a file's content.",
)
@click.option(
    "-n",
    "--namespace",
    "wanted",
    default="linkerd-smi",
    show_default=True,
    metavar="NAME",
    help="Namespace of the extension; it is among the objects.",
)
@click.option(
    "--wait",
    default="300s",
    show_default=True,
    metavar="DURATION",
    help="How long Linkerd's core may take to be up, such as 90s or 5m0s.",
)
@click.option("--skip-checks", is_flag=True, help="Don't wait for Linkerd's core.")
@click.option(
    "--ignore-cluster",
    is_flag=True,
    help="Don't ask any cluster for anything: for pipelines.",
)
@click.option(
    "--kube-version",
    metavar="VERSION",
    help="Kubernetes to render for.  [default: the cluster's; without one, the newest known]",
)
@click.pass_context
def install(
    ctx: click.Context,
    files: tuple[str, ...],
    assignments: tuple[str, ...],
    texts: tuple[str, ...],
    contents: tuple[str, ...],
    wanted: str,
    wait: str,
    skip_checks: bool,
    ignore_cluster: bool,
    kube_version: str | None,
) -> None:
    """Print the objects that make the extension, for `kubectl apply -f -`.

    They are those of the Helm chart with the same values, and the Namespace. First it waits until
    Linkerd's core is up.

    \b
      linkerd smi install | kubectl apply -f -
      linkerd smi install --set audit.persistence.enabled=true | kubectl apply -f -
      linkerd smi install --ignore-cluster --kube-version 1.30 > linkerd-smi.yaml
    """
    from reactor.cli.waiting import seconds
    from reactor.install import goyaml, packed
    from reactor.install.render import namespace_object, render
    from reactor.install.values import Sources, coalesced, given
    from reactor.install.version import ASSUMED, parsed

    flags = Globals.of(ctx)
    namespace("--namespace", wanted)
    patience = seconds("--wait", wait)
    version = parsed(kube_version) if kube_version is not None else None
    tree = given(Sources(files=files, assignments=assignments, texts=texts, contents=contents))
    if flags.linkerd_namespace != Globals.linkerd_namespace:
        tree.setdefault("linkerdNamespace", flags.linkerd_namespace)
    tree = coalesced(tree, packed.defaults())
    # Wrong values end it here: they needn't wait for a cluster.
    objects = render(tree, namespace=wanted, kube_version=version or ASSUMED)
    if not ignore_cluster:
        told = _asked(flags, wait=None if skip_checks else patience, told=kube_version)
        if told is not None and version is None:
            objects = render(tree, namespace=wanted, kube_version=parsed(told))
    if any(_goes_with_its_pod(one) for one in objects):
        say(
            "the audit log will lie in an emptyDir and go with its pod; to keep it: "
            "--set audit.persistence.enabled=true"
        )
    click.echo(goyaml.dump([namespace_object(wanted), *objects]), nl=False)


def _asked(flags: Globals, *, wait: float | None, told: str | None) -> str | None:
    """The cluster's version, unless it is ``told`` or can't be; first its core has to be up."""
    from reactor.cli.cluster import connect, run

    if wait is None and told is not None:
        return told
    try:
        return run(_version(connect(flags), flags.linkerd_namespace, wait, told))
    except Fatal as error:
        if wait is not None or error.code == 2:
            raise
        # Without checks the Go extension's CLI needed no cluster, and pipelines count on that.
        say(
            f"rendered for the newest Kubernetes, as no cluster tells its version: {error}; "
            "--ignore-cluster or --kube-version ask none"
        )
        return None


async def _version(
    connection: Connection, linkerd: str, wait: float | None, told: str | None
) -> str:
    from reactor.cli.cluster import soon
    from reactor.install.core import wait_until_up
    from reactor.kube.objects import get

    async with connection:
        if wait is not None:
            await wait_until_up(connection, namespace=linkerd, seconds=wait, say=say)
        if told is not None:
            return told
        answer = await soon(connection, get(connection, "/version")) or {}
    return str(answer.get("gitVersion", ""))


def _goes_with_its_pod(one: Object) -> bool:
    pod = one.get("spec", {}).get("template", {}).get("spec", {})
    return any("emptyDir" in volume for volume in pod.get("volumes", ()))
