"""`linkerd-smi translate`: what becomes of splits, told without a cluster."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import click

from reactor.cli.globals import cluster_domain
from reactor.cli.goflags import GoCommand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reactor.cli.given import Given, Remark
    from reactor.translate.survey import Judged


@click.command(cls=GoCommand)
@click.option(
    "-f",
    "--filename",
    "names",
    type=click.Path(),
    multiple=True,
    required=True,
    metavar="FILE|DIR|-",
    help="A file, a folder of .yaml, .yml and .json files, or - for stdin; may be repeated.",
)
@click.option(
    "-n",
    "--namespace",
    default="default",
    show_default=True,
    metavar="NAME",
    help="Namespace of documents that name none.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["yaml", "json", "table"]),
    default="yaml",
    show_default=True,
    help="The profiles, or a table of the splits.",
)
@click.option(
    "--cluster-domain",
    "domain",
    default="cluster.local",
    show_default=True,
    metavar="DOMAIN",
    callback=cluster_domain,
    help="The cluster's DNS domain.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["warning", "error"]),
    default="error",
    show_default=True,
    help="The least severe finding that makes the exit code 1.",
)
def translate(
    names: tuple[str, ...], namespace: str, output: str, domain: str, fail_on: str
) -> int:
    """Print the ServiceProfile that each TrafficSplit becomes, and every finding.

    Asks no cluster. Profiles go to stdout, so that `linkerd-smi translate -f DIR | kubectl diff
    -f -` shows what would change; findings go to stderr, one a line: `FILE:LINE: warning REASON
    namespace/name: message`. An invalid split becomes no profile and is an error.

    Of several splits of one service the oldest counts, by creationTimestamp, then by name. Other
    documents are passed over, but where a namespace has Services among them, those that a split
    names and that are not there are a finding. Lists are opened.

    Exit codes: 0 done, 1 there are findings (see --fail-on), 2 wrong usage or no YAML.
    """
    from reactor.cli import given, sources
    from reactor.cli import globals as flags
    from reactor.translate.situation import Rules
    from reactor.translate.survey import survey

    flags.namespace("--namespace", namespace)
    found = given.take(sources.read(names), namespace=namespace, domain=domain)
    judged = survey(
        found.splits.values(), services=found.services, rules=Rules(cluster_domain=domain)
    )
    remarks = [_doubtful(found, remark) for remark in given.remarks(found, judged)]
    for remark in remarks:
        click.echo(str(remark), err=True)
    if not found.where and not remarks:
        others = f"{found.others} document{'s' * (found.others != 1)}"
        click.echo(f"no TrafficSplit among {others}", err=True)
    _print(output, found, judged, remarks)
    return int(any(remark.error or fail_on == "warning" for remark in remarks))


def _doubtful(given: Given, remark: Remark) -> Remark:
    """The remark with what a cluster would know better than a file does."""
    import msgspec

    finding = remark.finding
    split = given.splits.get((remark.namespace, finding.split))
    if finding.reason == "ServiceNotFound":
        doubt = "of those given"
    elif finding.reason == "ShadowedBy" and split is not None and not split.meta.created:
        doubt = "without a creationTimestamp the name decides"
    else:
        return remark
    finding = msgspec.structs.replace(finding, message=f"{finding.message} ({doubt})")
    return dataclasses.replace(remark, finding=finding)


def _print(output: str, given: Given, judged: Sequence[Judged], remarks: Sequence[Remark]) -> None:
    if output == "table":
        from reactor.cli.table import table

        header = ("NAMESPACE", "SPLIT", "SERVICE", "RESULT", "OVERRIDES", "FINDINGS")
        click.echo(table(header, _rows(given, judged, remarks)))
        return
    profiles = [profile for one in judged if (profile := _profile(one)) is not None]
    if output == "json":
        import msgspec

        text = msgspec.json.encode({"apiVersion": "v1", "kind": "List", "items": profiles})
        click.echo(msgspec.json.format(text, indent=2).decode())
    elif profiles:
        from reactor.install.goyaml import dump

        click.echo(dump(profiles), nl=False)


def _profile(judged: Judged) -> dict[str, Any] | None:
    """The profile as a manifest; None when these splits ask for none."""
    from reactor.model.names import profile_name

    at, wanted = judged.situation, judged.decision.desired.overrides
    if wanted is None:
        return None
    name = profile_name(at.service, at.namespace, at.rules.cluster_domain)
    return {
        "apiVersion": "linkerd.io/v1alpha2",
        "kind": "ServiceProfile",
        "metadata": {"name": name, "namespace": at.namespace},
        "spec": {
            "dstOverrides": [{"authority": one.authority, "weight": one.weight} for one in wanted]
        },
    }


def _rows(
    given: Given, judged: Sequence[Judged], remarks: Sequence[Remark]
) -> list[tuple[str, ...]]:
    reasons: dict[str, list[str]] = {}
    for remark in remarks:
        reasons.setdefault(remark.where, []).append(remark.finding.reason)
    desired = {(one.situation.namespace, one.situation.service): one.decision for one in judged}
    rows: list[tuple[str, ...]] = []
    for (namespace, name), where in given.where.items():
        split = given.splits[namespace, name]
        wanted = desired[namespace, split.service].desired if split.service else None
        result, overrides = "shadowed", ""
        if split.problem is not None:
            result = "invalid"
        elif not split.backends:
            result = "none"
        elif wanted is not None and wanted.winner == name:
            result = "profile"
            overrides = ",".join(
                f"{one.authority.partition('.')[0]}={one.weight}" for one in wanted.overrides or ()
            )
        rows.append(
            (
                namespace,
                name,
                split.service or "",
                result,
                overrides,
                ",".join(dict.fromkeys(reasons.get(where, ()))),
            )
        )
    return rows
