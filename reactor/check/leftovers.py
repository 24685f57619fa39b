"""What the Go extension left behind, or still runs."""

from __future__ import annotations

from collections.abc import Sequence

from reactor.check.adaptor import go_adaptor
from reactor.check.kinds import Definition, Deployment, Namespace
from reactor.check.place import LABEL, NAME
from reactor.check.result import Trouble, some


def gone(
    namespace: str,
    *,
    labelled: Sequence[Namespace],
    deployments: Sequence[Deployment],
    definition: Definition | None,
) -> Trouble | None:
    """Whether nothing is left; ``namespace`` is the extension's own.

    ``labelled``: namespaces that Linkerd takes for the extension's. ``deployments``: those of
    an adaptor, anywhere. ``definition``: TrafficSplit's.
    """
    found: list[tuple[str, str]] = []
    second = set()
    for one in deployments:
        meta = one.metadata
        if meta.namespace == namespace:
            continue
        second.add(meta.namespace)
        image = go_adaptor(one)
        what = f"the Go adaptor, {image}, runs" if image else "a second adaptor is"
        found.append(
            (
                f"{what} in namespace {meta.namespace}: both write the same profiles",
                f"`kubectl -n {meta.namespace} delete deployment {meta.name}`",
            )
        )
    for other in labelled:
        name = other.metadata.name
        if name != namespace and name not in second:
            found.append(
                (
                    f"namespace {name} is labelled {LABEL}={NAME}, but no adaptor is in it",
                    f"`kubectl label namespace {name} {LABEL}-`",
                )
            )
    if definition is not None and definition.spec.preserve_unknown_fields:
        name = definition.metadata.name
        found.append(
            (
                f"{name} has spec.preserveUnknownFields: true, which keeps Argo CD from syncing it",
                f"""`kubectl patch crd {name} --type merge -p '{{"spec":"""
                """{"preserveUnknownFields":false}}'`""",
            )
        )
    if not found:
        return None
    return Trouble(some([what for what, _ in found]), found[0][1], warning=True)
