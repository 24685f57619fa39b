"""`linkerd-smi stat`: the traffic of splits, beside what is applied of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from reactor.cli.globals import cluster_domain
from reactor.cli.goflags import GoCommand

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reactor.kube.connection import Connection
    from reactor.model.trafficsplit import TrafficSplit
    from reactor.stat.figures import Figures, Leaf, Split
    from reactor.stat.rows import Row

_KINDS = {"ts", "trafficsplit", "trafficsplits", "trafficsplits.split.smi-spec.io"}
_LEAST = 15.0  # seconds: two scrapes of the viz extension's Prometheus
_SHOWN = 10  # names of other splits in an error


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """What the flags ask for."""

    names: list[str]
    namespace: str | None
    everywhere: bool
    window: float
    prometheus_url: str | None
    domain: str | None
    said: Callable[[str], None]


@click.command(cls=GoCommand)
@click.argument(
    "resources",
    nargs=-1,
    metavar="ts|ts/NAME...",
    help="All splits of the namespace, or these.",
)
@click.option(
    "-n",
    "--namespace",
    metavar="NAME",
    help="Namespace of the splits.  [default: the kubeconfig's]",
)
@click.option(
    "-A",
    "--all-namespaces",
    "everywhere",
    is_flag=True,
    help="Splits of them all, whatever -n says.",
)
@click.option(
    "-t",
    "--time-window",
    "window",
    default="1m",
    show_default=True,
    metavar="DURATION",
    help="How far to look back: 15s or more.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "wide", "json"]),
    default="table",
    show_default=True,
    help="wide and json tell what is applied as well.",
)
@click.option(
    "--prometheus-url",
    metavar="URL",
    help="Prometheus to ask.  [default: the viz extension's, through a port-forward]",
)
@click.option(
    "--cluster-domain",
    metavar="DOMAIN",
    callback=cluster_domain,
    help="The cluster's DNS domain.  [default: as the adaptor is told]",
)
def stat(
    resources: tuple[str, ...],
    namespace: str | None,
    everywhere: bool,
    window: str,
    output: str,
    prometheus_url: str | None,
    cluster_domain: str | None,
) -> None:
    """Show success rate, requests a second and latencies of each split's leaves.

    The figures are what the callers' proxies count, so direct calls to a leaf count too; a `-`
    means no traffic. WEIGHT is the split's. `-o wide` adds what the live ServiceProfile says
    (APPLIED), and the STATE: in-sync, out-of-sync, invalid, shadowed by an older split, empty
    (without backends) or skipped (annotated so). Whatever is not in sync is told on stderr.

    Without a Prometheus the figures are `-`, and stderr says why.

    Exit codes: 0 shown, 1 there is no such split or no cluster, 2 wrong usage.
    """
    from reactor.cli import globals as flags
    from reactor.cli.cluster import connect, run
    from reactor.cli.globals import Globals
    from reactor.errors import Fatal

    given = Globals.of(click.get_current_context())
    names = _names(resources)
    if everywhere and names:
        raise Fatal("-A and the name of a split exclude each other: use -n", code=2)
    if namespace is not None:
        flags.namespace("--namespace", namespace)
    if prometheus_url is not None and not _is_url(prometheus_url):
        raise Fatal("--prometheus-url: write a URL such as http://127.0.0.1:9090", code=2)
    wanted = _Wanted(
        names=names,
        namespace=namespace,
        everywhere=everywhere,
        window=_seconds(window),
        prometheus_url=prometheus_url,
        domain=cluster_domain,
        said=_tell if given.verbose else lambda line: None,
    )
    _print(run(_look(connect(given), wanted)), output=output, everywhere=everywhere)


def _names(resources: Sequence[str]) -> list[str]:
    """The splits that `ts`, `ts NAME...` or `ts/NAME...` name, none for all."""
    from reactor.errors import Fatal

    kinds: dict[str, str] = {}
    found = []
    for number, resource in enumerate(resources):
        kind, slash, name = resource.partition("/")
        if slash:
            kinds.setdefault(kind, resource)
            found.append(name)
        elif number == 0:
            kinds.setdefault(kind, resource)
        else:
            found.append(resource)
    wrong = next((resource for kind, resource in kinds.items() if kind not in _KINDS), None)
    if wrong is not None or not kinds:
        what = "say of what" if wrong is None else f"{wrong!r} is none of its kinds"
        raise Fatal(
            f"stat: {what}: write ts, or ts/NAME; `linkerd viz stat` knows the other kinds", code=2
        )
    if "" in found:
        raise Fatal("stat: the name after ts/ is missing", code=2)
    return list(dict.fromkeys(found))


def _seconds(window: str) -> float:
    from reactor.errors import Fatal
    from reactor.units import duration

    try:
        seconds = duration(window)
    except ValueError as error:
        raise Fatal(f"--time-window: {window!r}: {error}", code=2) from error
    if seconds < _LEAST:
        raise Fatal(f"--time-window: {window} is too short: 15s or more hold two scrapes", code=2)
    return seconds


def _is_url(text: str) -> bool:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _print(rows: Sequence[Row], *, output: str, everywhere: bool) -> None:
    from reactor.stat import formats

    if output == "json":
        click.echo(formats.json(rows))
    elif rows:
        click.echo(formats.table(rows, wide=output == "wide", namespaces=everywhere))
    for line in dict.fromkeys(
        f"{row.namespace}/{row.name} is {row.state}: {row.reason}" for row in rows if row.reason
    ):
        _tell(line)


async def _look(connection: Connection, wanted: _Wanted) -> list[Row]:
    """What the cluster and Prometheus answer."""
    from reactor.check.cluster import Cluster
    from reactor.cli.rules import rules as rules_of
    from reactor.errors import Fatal, ReactorError
    from reactor.kube import snapshot
    from reactor.stat import rows
    from reactor.stat.traffic import traffic
    from reactor.translate.survey import survey

    async with connection:
        cluster = Cluster(connection)
        rules = await rules_of(cluster, domain=wanted.domain)
        namespace = None if wanted.everywhere else wanted.namespace or connection.namespace
        found = await snapshot.take(connection, domain=rules.cluster_domain, namespace=namespace)
        if not found.splits and not await cluster.split_versions():
            raise Fatal("the cluster serves no TrafficSplits: see `linkerd smi check`")
        splits = _chosen(found.splits, namespace, wanted.names)
        asked = rows.asked(splits)
        figures: Mapping[Split, Mapping[Leaf, Figures]] = {}
        try:
            if asked:
                figures = await traffic(
                    connection,
                    asked,
                    window=wanted.window,
                    url=wanted.prometheus_url,
                    environ=os.environ,
                    said=wanted.said,
                )
        except ReactorError as error:
            _tell(f"no traffic figures: {error}")
    judged = survey(found.splits, profiles=found.profiles, services=found.services, rules=rules)
    return rows.rows(splits, judged, figures)


def _chosen(
    splits: Sequence[TrafficSplit], namespace: str | None, names: Sequence[str]
) -> Sequence[TrafficSplit]:
    from reactor.errors import Fatal

    where = "any namespace" if namespace is None else f"namespace {namespace}"
    there = {split.meta.name: split for split in splits}
    if not names:
        if not splits:
            _tell(f"there is no TrafficSplit in {where}")
        return splits
    missing = [name for name in names if name not in there]
    if missing:
        known = ", ".join(sorted(there)[:_SHOWN]) or "none"
        raise Fatal(f"there is no TrafficSplit {missing[0]} in {where}; there: {known}")
    return [there[name] for name in names]
