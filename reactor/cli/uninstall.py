"""`linkerd-smi uninstall`: prints the objects that make the extension go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reactor.cli.globals import Globals
from reactor.cli.goflags import GoCommand
from reactor.cli.say import say
from reactor.errors import Fatal, Terminal

if TYPE_CHECKING:
    from reactor.install.removal import Removal
    from reactor.kube.connection import Connection

Object = dict[str, Any]


@click.command(cls=GoCommand)
@click.option(
    "--keep-crd",
    is_flag=True,
    help="Leave the definition of TrafficSplit, and with it all splits.",
)
@click.pass_context
def uninstall(ctx: click.Context, keep_crd: bool) -> None:
    """Print what bears linkerd.io/extension=smi in the cluster, for `kubectl delete -f -`.

    The definition of TrafficSplit is part of it, and everybody's splits go with it, unless
    --keep-crd; stderr tells how many.

    \b
      linkerd smi uninstall | kubectl delete -f -
      linkerd smi uninstall --keep-crd | kubectl delete -f -
    """
    from reactor.cli.cluster import connect, run
    from reactor.install import goyaml

    flags = Globals.of(ctx)
    documents = run(_removal(connect(flags), flags, keep_crd))
    if documents:
        click.echo(goyaml.dump(documents), nl=False)


async def _removal(connection: Connection, flags: Globals, keep_crd: bool) -> list[Object]:
    from reactor.install.labelled import labelled
    from reactor.install.neighbours import shared
    from reactor.install.removal import LABEL, removal

    async with connection:
        found = await labelled(connection, LABEL)
        namespaces = {
            one["metadata"]["name"] for one in found.objects if one["kind"] == "Namespace"
        }
        others = await shared(connection, namespaces, LABEL)
        plan = removal(
            found.objects,
            shared={*others, flags.linkerd_namespace},
            keep_definition=keep_crd,
        )
        for sentence in found.unanswered:
            say(f"not searched: {sentence}")
        if found.forbidden:
            say(f"you may not list {', '.join(found.forbidden)}: whatever is ours of them stays")
        if not plan.documents:
            if found.forbidden or found.unanswered:
                raise Fatal(f"nothing that bears {LABEL} was found where one could look")
            say(f"there is nothing to remove that bears {LABEL}")
        _tell(plan)
        await _tell_of_traffic(connection, None if keep_crd else plan.definition)
    return plan.documents


def _tell(plan: Removal) -> None:
    for name in plan.spared:
        say(f"namespace {name} stays, as there is more in it than the extension")
    for release in plan.releases:
        namespace, _, name = release.partition("/")
        say(f"helm installed this, so rather: helm uninstall {name} --namespace {namespace}")
    for claim in plan.claims:
        say(f"the audit log goes, too: PersistentVolumeClaim {claim}")


async def _tell_of_traffic(connection: Connection, definition: Object | None) -> None:
    from reactor.install.neighbours import overridden, splits

    try:
        if definition is not None:
            counted = await splits(connection, definition)
            total = sum(counted.values())
            say(
                f"the definition of TrafficSplit takes {_several(total, 'split')} in "
                f"{_several(len(counted), 'namespace')} along; --keep-crd leaves them"
                if total
                else "the definition of TrafficSplit goes; there is no split"
            )
        overrides = await overridden(connection)
    except Terminal as error:
        say(f"can't tell what becomes of the traffic: {error}")
        return
    if overrides:
        say(
            f"Linkerd goes on by the overrides of {_several(overrides, 'ServiceProfile')}; the "
            "adaptor takes back its own when you delete the splits while it runs"
        )


def _several(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
