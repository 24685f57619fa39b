"""`linkerd-smi diff`: the cluster's profiles against what its splits, or yours, ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reactor.cli.globals import Globals, cluster_domain
from reactor.cli.globals import namespace as namespace_of
from reactor.cli.goflags import GoCommand
from reactor.errors import Fatal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reactor.cli.differences import Difference
    from reactor.cli.given import Remark
    from reactor.kube.connection import Connection
    from reactor.kube.snapshot import Snapshot
    from reactor.model.serviceprofile import Override
    from reactor.translate.situation import Rules


@click.command(cls=GoCommand)
@click.option(
    "-f",
    "--filename",
    "names",
    type=click.Path(),
    multiple=True,
    metavar="FILE|DIR|-",
    help="Splits to lay over the cluster's, as if they were applied; may be repeated.",
)
@click.option(
    "-n",
    "--namespace",
    metavar="NAME",
    help="Namespace to look at; with -f, of documents that name none.  [default: the context's]",
)
@click.option("-A", "--all-namespaces", "everywhere", is_flag=True, help="Look at all namespaces.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How differences are printed.",
)
@click.option(
    "--cluster-domain",
    "domain",
    metavar="DOMAIN",
    callback=cluster_domain,
    help="The cluster's DNS domain.  [default: the adaptor's, else cluster.local]",
)
def diff(
    names: tuple[str, ...],
    namespace: str | None,
    everywhere: bool,
    output: str,
    domain: str | None,
) -> int:
    """Print each ServiceProfile that is not what the TrafficSplits ask for.

    CHANGE is what the adaptor would do: create, patch, clear (remove its overrides) or delete the
    profile. Nothing is done about a split that is invalid, a profile that is annotated
    smi.linkerd.io/skip (skipped), or one that is not to be cleaned up (kept).

    With -f only the services that these splits name are compared, in the state that applying the
    files would lead to; findings about them go to stderr as `translate` prints them.

    Exit codes: 0 in sync (skipped and kept ones aside), 1 there are differences or an invalid
    split, or no such namespace, 2 wrong usage or no YAML.
    """
    from reactor.cli.cluster import connect, run

    if namespace is not None:
        namespace_of("--namespace", namespace)
    if everywhere and (names or namespace):
        raise Fatal("--all-namespaces goes without --namespace and --filename", code=2)
    connection = connect(Globals.of(click.get_current_context()))
    found, remarks, services = run(_compare(connection, names, namespace, everywhere, domain))
    for remark in remarks:
        click.echo(str(remark), err=True)
    _print(output, found)
    from reactor.cli.differences import QUIET

    differing = [one for one in found if one.change not in QUIET]
    if not differing:
        what = "service" if services == 1 else "services"
        click.echo(f"in sync: {services} {what} with a split", err=True)
    return int(bool(differing) or any(remark.error for remark in remarks))


async def _compare(
    connection: Connection,
    names: Sequence[str],
    namespace: str | None,
    everywhere: bool,
    domain: str | None,
) -> tuple[list[Difference], list[Remark], int]:
    """The differences, what is wrong with the files, and how many services were compared."""
    import asyncio

    from reactor.check.cluster import Cluster
    from reactor.cli import given, sources
    from reactor.cli.differences import differences, overlaid
    from reactor.cli.rules import rules as rules_of
    from reactor.translate.survey import survey

    namespace = namespace or connection.namespace
    async with connection:
        cluster = Cluster(connection)
        if not await cluster.split_versions():
            raise Fatal("the cluster serves no TrafficSplits: see `linkerd smi check`")
        rules = await rules_of(cluster, domain=domain)
        if not names:
            look = await _look(connection, [None if everywhere else namespace], rules)
            judged = survey(
                look.splits, profiles=look.profiles, services=look.services, rules=rules
            )
            if not judged and not everywhere:
                await _there(connection, namespace)
            return differences(judged), [], sum(bool(one.situation.splits) for one in judged)
        files = await asyncio.to_thread(lambda: list(sources.read(names)))
        mine = given.take(files, namespace=namespace, domain=rules.cluster_domain)
        look = await _look(connection, sorted({key[0] for key in mine.splits}), rules)
        splits, touched = overlaid(look, mine)
        services = {
            where: {**look.services.get(where, {}), **mine.services.get(where, {})}
            for where in look.services.keys() | {key[0] for key in mine.splits}
        }
        judged = [
            one
            for one in survey(splits, profiles=look.profiles, services=services, rules=rules)
            if (one.situation.namespace, one.situation.service) in touched
        ]
        return differences(judged), given.remarks(mine, judged), len(judged)


async def _there(connection: Connection, namespace: str) -> None:
    """Fatal when there is no such namespace: a slip of the pen must not pass for in sync."""
    from reactor.errors import Terminal
    from reactor.kube.objects import get

    try:
        found = await get(connection, f"/api/v1/namespaces/{namespace}")
    except Terminal as error:
        if error.status != 403:
            raise
        return
    if found is None:
        raise Fatal(f"there is no namespace {namespace}")


async def _look(connection: Connection, namespaces: Sequence[str | None], rules: Rules) -> Snapshot:
    from reactor.kube import snapshot

    looks = [
        await snapshot.take(connection, domain=rules.cluster_domain, namespace=name)
        for name in namespaces
    ]
    return snapshot.Snapshot(
        splits=tuple(split for look in looks for split in look.splits),
        profiles=tuple(profile for look in looks for profile in look.profiles),
        services={name: found for look in looks for name, found in look.services.items()},
    )


def _print(output: str, found: Sequence[Difference]) -> None:
    if output == "json":
        import msgspec

        from reactor.cli.differences import QUIET

        in_sync = all(one.change in QUIET for one in found)
        text = msgspec.json.encode({"inSync": in_sync, "differences": found})
        click.echo(msgspec.json.format(text, indent=2).decode())
    elif found:
        from reactor.cli.table import table

        header = ("NAMESPACE", "SERVICE", "SPLIT", "CHANGE", "NOW", "WANTED")
        rows = [
            (
                one.namespace,
                one.service,
                one.split or "-",
                one.change,
                _shown(one.now, one),
                _shown(one.wanted, one),
            )
            for one in found
        ]
        click.echo(table(header, rows))
        for one in found:
            if one.reason:
                click.echo(f"{one.namespace}/{one.service}: {one.change}: {one.reason}", err=True)


def _shown(overrides: Sequence[Override] | None, where: Difference) -> str:
    """Leaves and weights; an authority of elsewhere in full."""
    if not overrides:
        return "-"
    end = where.profile.removeprefix(where.service)
    return ",".join(f"{one.authority.removesuffix(end)}={one.weight}" for one in overrides)
