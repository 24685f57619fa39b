"""ServiceProfile, linkerd.io/v1alpha2: only what a decision needs of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from sys import intern
from typing import Any

import msgspec

from reactor.model import meta as metadata
from reactor.model import quantity
from reactor.model.decode import document
from reactor.model.meta import Document, Meta, Stored

GROUP = "linkerd.io"
VERSION = "v1alpha2"
PLURAL = "serviceprofiles"
FIELD_MANAGER = "smi-adaptor"
SKIP_ANNOTATION = "smi.linkerd.io/skip"

_MARKS = frozenset(("labels", "annotations", "ownerReferences", "finalizers"))
_PARTS = frozenset(("apiVersion", "kind", "metadata", "spec"))


class Override(msgspec.Struct, frozen=True, gc=False):
    """One ``spec.dstOverrides`` item: an authority (FQDN) and a weight (quantity text)."""

    authority: str
    weight: str


class ServiceProfile(msgspec.Struct, frozen=True, gc=False):
    """A live profile. ``overrides`` is None when the field is absent (or null).

    ``readable`` is False when dstOverrides has a shape that we would never write (then
    ``overrides`` is empty). ``bare`` says that besides dstOverrides the object holds nothing:
    no other spec field, labels, annotations, ownerReferences, finalizers.
    ``skip`` says that the skip annotation is there.
    """

    meta: Meta
    overrides: tuple[Override, ...] | None
    readable: bool
    bare: bool
    skip: bool
    document: Document

    @property
    def ours(self) -> bool:
        """Whether an Update entry of our field manager holds dstOverrides."""
        return any(
            m.weights and m.name == FIELD_MANAGER and m.operation == "Update"
            for m in self.meta.managers
        )

    @property
    def only_ours(self) -> bool:
        """Whether managedFields is not empty and names our field manager alone."""
        managers = self.meta.managers
        return bool(managers) and all(m.name == FIELD_MANAGER for m in managers)


def decode(obj: dict[str, Any], *, stored: Stored | None = None) -> ServiceProfile:
    """Read a profile; ValueError only when metadata has no name, namespace or uid.

    ``stored`` says what is known already where it is read from its document.
    """
    meta = metadata.decode(obj, None if stored is None else stored.managers)
    held = obj["metadata"]
    annotations = held.get("annotations")
    spec = obj.get("spec")
    found = spec.get("dstOverrides") if type(spec) is dict else None
    overrides = _overrides(found)
    return ServiceProfile(
        meta=meta,
        overrides=None if found is None else overrides or (),
        readable=overrides is not None,
        bare=_bare(obj, held, spec),
        skip=type(annotations) is dict and SKIP_ANNOTATION in annotations,
        document=document(obj) if stored is None else stored.document,
    )


def same(left: Sequence[Override], right: Sequence[Override]) -> bool:
    """Whether two lists of overrides ask for the same: authorities in order, weights by value."""
    if left == right:  # as mostly, and told without looking at each weight
        return True
    if len(left) != len(right):
        return False
    for one, other in zip(left, right, strict=True):
        if one.authority != other.authority or not _as_heavy(one.weight, other.weight):
            return False
    return True


def create_body(namespace: str, name: str, overrides: Sequence[Override]) -> bytes:
    """Encode a new profile that holds nothing but these overrides."""
    return msgspec.json.encode(
        {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "ServiceProfile",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"dstOverrides": overrides},
        }
    )


def patch_body(overrides: Sequence[Override] | None, resource_version: str) -> bytes:
    """Encode a JSON merge patch (None removes dstOverrides), valid for one version only."""
    return msgspec.json.encode(
        {
            "metadata": {"resourceVersion": resource_version},
            "spec": {"dstOverrides": overrides},
        }
    )


def delete_body(uid: str, resource_version: str) -> bytes:
    """Encode DeleteOptions that delete this very state of the object and no other."""
    return msgspec.json.encode(
        {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid, "resourceVersion": resource_version},
        }
    )


def _overrides(found: object) -> tuple[Override, ...] | None:
    """Read dstOverrides; None when we would never write such a shape."""
    if found is None:
        return ()
    if type(found) is not list:
        return None
    overrides = []
    for item in found:
        if type(item) is not dict or len(item) != 2:
            return None
        authority = item.get("authority")
        if type(authority) is not str:
            return None
        try:
            weight = quantity.from_json(item.get("weight"))
        except ValueError:
            return None
        if _nanos(weight.text) != weight.nanos:
            return None  # Go has no spelling of such a huge one
        overrides.append(Override(intern(authority), intern(weight.text)))
    return tuple(overrides)


def _bare(obj: Mapping[str, Any], held: Mapping[str, Any], spec: object) -> bool:
    if any(held[mark] for mark in held.keys() & _MARKS):
        return False
    if any(obj[key] for key in obj.keys() - _PARTS):
        return False
    return spec is None or (type(spec) is dict and spec.keys() <= {"dstOverrides"})


def _as_heavy(left: str, right: str) -> bool:
    if left == right:
        return True
    nanos = _nanos(left)
    return nanos is not None and nanos == _nanos(right)


def _nanos(text: str) -> int | None:
    try:
        return quantity.parse(text).nanos
    except ValueError:
        return None
