"""Where the extension is: its namespace, found by the label that Linkerd looks for."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from reactor.check.adaptor import go_adaptor
from reactor.check.kinds import Deployment, Namespace
from reactor.check.result import Trouble

LABEL = "linkerd.io/extension"
NAME = "smi"
INSTALL = "`linkerd smi install | kubectl apply -f -`"


class Place(msgspec.Struct, frozen=True):
    """The extension's namespace, None when it can't be told, and what is wrong about it."""

    namespace: str | None
    trouble: Trouble | None = None


def named(name: str, found: Namespace | None) -> Place:
    """The namespace that was asked for by name."""
    if found is None:
        return Place(None, Trouble(f"there is no namespace {name}", _install(name)))
    return Place(name, None if _labelled(found) else _unlabelled(name))


def searched(labelled: Sequence[Namespace], deployments: Sequence[Deployment]) -> Place:
    """The one labelled namespace, or of several the one where our adaptor is.

    ``deployments`` are those of an adaptor, ours or the Go program's, anywhere.
    """
    names = sorted(namespace.metadata.name for namespace in labelled)
    held = {one.metadata.namespace for one in deployments}
    ours = {one.metadata.namespace for one in deployments if go_adaptor(one) is None}
    if not names:
        for candidates in (ours, held):
            if len(candidates) == 1:
                (name,) = candidates
                return Place(name, _unlabelled(name))
        return Place(
            None,
            Trouble(f"no namespace is labelled {LABEL}={NAME}: SMI is not installed", INSTALL),
        )
    if len(names) == 1:
        return Place(names[0])
    for candidates in (ours, held):
        here = [name for name in names if name in candidates]
        if len(here) == 1:
            return Place(here[0])
    return Place(
        None,
        Trouble(
            f"namespaces {', '.join(names)} are all labelled {LABEL}={NAME}: name the one to check",
            f"`linkerd smi check --namespace {names[0]}`",
        ),
    )


def account(found: bool, namespace: str, install: str) -> Trouble | None:
    """Whether the adaptor's ServiceAccount is there."""
    if found:
        return None
    return Trouble(f"there is no ServiceAccount smi-adaptor in namespace {namespace}", install)


def _labelled(namespace: Namespace) -> bool:
    return (namespace.metadata.labels or {}).get(LABEL) == NAME


def _unlabelled(name: str) -> Trouble:
    return Trouble(
        f"namespace {name} is not labelled {LABEL}={NAME}, so `linkerd check` doesn't see it",
        f"`kubectl label namespace {name} {LABEL}={NAME}`",
        warning=True,
    )


def _install(name: str) -> str:
    if name == "linkerd-smi":
        return INSTALL
    return f"`linkerd smi install --namespace {name} | kubectl apply -f -`"
