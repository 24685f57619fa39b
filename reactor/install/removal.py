"""What `uninstall` prints: of all that bears our label, what has to be named to be gone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]

LABEL = "linkerd.io/extension=smi"
DEFINITION = "trafficsplits.split.smi-spec.io"

_KUBERNETES_OWN = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
_NAMESPACE, _CRD = "Namespace", "CustomResourceDefinition"
# The rights go first: what the adaptor wrote shall not change any more while the splits go.
_ORDER = ("ClusterRoleBinding", "ClusterRole", "RoleBinding", "Role")


@dataclass(frozen=True, kw_only=True)
class Removal:
    """``documents`` are for `kubectl delete -f -`, in their order.

    ``spared`` are labelled namespaces that stay, though what is ours in them goes; ``releases``
    those of Helm, as NAMESPACE/NAME; ``claims`` those that hold an audit log.
    """

    documents: list[Object]
    spared: list[str]
    releases: list[str]
    claims: list[str]
    definition: Object | None


def removal(found: Sequence[Object], *, shared: Collection[str], keep_definition: bool) -> Removal:
    """What to remove; ``shared`` are namespaces in which others live, too."""
    # What belongs to an object goes with it.
    own = [one for one in found if not one["metadata"].get("ownerReferences")]
    namespaces = {_name(one) for one in own if one["kind"] == _NAMESPACE}
    spared = namespaces & (_KUBERNETES_OWN | set(shared))
    going = namespaces - spared
    definitions = [one for one in own if one["kind"] == _CRD]
    kept = [
        one
        for one in own
        if one["metadata"].get("namespace") not in going
        and not (one["kind"] == _NAMESPACE and _name(one) in spared)
        and not (one["kind"] == _CRD and keep_definition)
    ]
    return Removal(
        documents=[_identity(one) for one in sorted(kept, key=_place)],
        spared=sorted(spared),
        releases=sorted({release for one in own if (release := _release(one))}),
        claims=sorted(_where(one) for one in own if one["kind"] == "PersistentVolumeClaim"),
        definition=next((one for one in definitions if _name(one) == DEFINITION), None),
    )


def _identity(one: Object) -> Object:
    metadata = one["metadata"]
    wanted = {key: metadata[key] for key in ("name", "namespace") if metadata.get(key)}
    return {"apiVersion": one["apiVersion"], "kind": one["kind"], "metadata": wanted}


def _place(one: Object) -> tuple[int, str, str, str]:
    kind = one["kind"]
    order = _ORDER.index(kind) if kind in _ORDER else len(_ORDER)
    late = {_CRD: len(_ORDER) + 1, _NAMESPACE: len(_ORDER) + 2}
    return late.get(kind, order), kind, one["metadata"].get("namespace", ""), _name(one)


def _release(one: Object) -> str:
    notes = one["metadata"].get("annotations") or {}
    name = notes.get("meta.helm.sh/release-name")
    return f"{notes.get('meta.helm.sh/release-namespace', '')}/{name}" if name else ""


def _where(one: Object) -> str:
    return f"{one['metadata'].get('namespace', '')}/{_name(one)}"


def _name(one: Object) -> str:
    return str(one["metadata"]["name"])
