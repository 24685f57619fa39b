"""TrafficSplit, split.smi-spec.io v1alpha1 to v1alpha4."""

from __future__ import annotations

from collections.abc import Mapping
from sys import intern
from typing import Any

import msgspec

from reactor.model import meta as metadata
from reactor.model import quantity
from reactor.model.decode import document
from reactor.model.meta import Document, Meta, Stored
from reactor.model.names import CrossNamespaceError, local_service
from reactor.model.quantity import Quantity, described

GROUP = "split.smi-spec.io"
PLURAL = "trafficsplits"
VERSIONS = ("v1alpha4", "v1alpha3", "v1alpha2", "v1alpha1")  # newest first


class Backend(msgspec.Struct, frozen=True, gc=False):
    """One leaf: a Service name of the split's namespace, and its weight as written."""

    service: str
    weight: Quantity


class Problem(msgspec.Struct, frozen=True, gc=False):
    """Why a split can't be honoured: a finding's reason, and a sentence for its author."""

    reason: str
    message: str


class TrafficSplit(msgspec.Struct, frozen=True, gc=False):
    """A split as decoded. ``service`` is the apex Service's bare name, None when unreadable.

    With a ``problem`` the split is invalid and ``backends`` is empty.
    """

    meta: Meta
    api_version: str
    service: str | None
    backends: tuple[Backend, ...]
    problem: Problem | None
    document: Document


class _Unusable(Exception):
    """Ends the reading of a spec with what is wrong in it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(reason, message)


def decode(obj: dict[str, Any], *, domain: str, stored: Stored | None = None) -> TrafficSplit:
    """Read a split; whatever is wrong in its spec becomes its ``problem``.

    ``stored`` says what is known already where it is read from its document. ValueError only
    when metadata has no name, namespace or uid.
    """
    meta = metadata.decode(obj, None if stored is None else stored.managers)
    service: str | None = None
    backends: tuple[Backend, ...] = ()
    problem: Problem | None = None
    try:
        spec = obj.get("spec")
        if type(spec) is not dict:
            raise _wrong("spec", "spec" in obj, spec, "an object with service and backends")
        service = _service("spec.service", spec, meta.namespace, domain)
        _refuse_matches(spec.get("matches"))
        backends = _backends(spec.get("backends"), meta.namespace, domain)
    except _Unusable as unusable:
        problem = unusable.problem
    version = obj.get("apiVersion")
    return TrafficSplit(
        meta=meta,
        api_version=intern(version) if type(version) is str else "",
        service=service,
        backends=backends,
        problem=problem,
        document=document(obj) if stored is None else stored.document,
    )


def _service(path: str, holder: Mapping[str, Any], namespace: str, domain: str) -> str:
    found = holder.get("service")
    if type(found) is not str:
        raise _wrong(path, "service" in holder, found, "the name of a Service")
    try:
        # One text for the Service's own name and every split that names it.
        return intern(local_service(found, namespace, domain))
    except CrossNamespaceError as error:
        raise _Unusable("CrossNamespace", f"{path}: {quantity.shown(found)} {error}") from None
    except ValueError as error:
        raise _Unusable("InvalidSplit", f"{path}: {quantity.shown(found)} {error}") from None


def _refuse_matches(found: object) -> None:
    if found is None or found == []:
        return
    if type(found) is not list:
        raise _wrong("spec.matches", True, found, "a list")
    for index, item in enumerate(found):
        if type(item) is not dict:
            raise _wrong(f"spec.matches[{index}]", True, item, "an object")
    raise _Unusable(
        "UnsupportedMatches",
        "spec.matches: a ServiceProfile cannot limit overrides to some requests; remove matches,"
        " or use an HTTPRoute instead of this split",
    )


def _backends(found: object, namespace: str, domain: str) -> tuple[Backend, ...]:
    if found is None:
        return ()
    if type(found) is not list:
        raise _wrong("spec.backends", True, found, "a list of objects with service and weight")
    backends = []
    for index, item in enumerate(found):
        path = f"spec.backends[{index}]"
        if type(item) is not dict:
            raise _wrong(path, True, item, "an object with service and weight")
        service = _service(f"{path}.service", item, namespace, domain)
        backends.append(Backend(service, _weight(f"{path}.weight", item)))
    return tuple(backends)


def _weight(path: str, holder: Mapping[str, Any]) -> Quantity:
    if "weight" not in holder:
        raise _Unusable(
            "InvalidWeight", f"{path}: missing; expected a number or a quantity of 0 or more"
        )
    found = holder["weight"]
    try:
        weight = quantity.from_json(found)
    except ValueError as error:
        raise _Unusable(
            "InvalidWeight", f"{path}: {error}; expected a number or a quantity of 0 or more"
        ) from None
    if weight.nanos < 0:
        raise _Unusable(
            "InvalidWeight", f"{path}: {described(found)} is negative; expected 0 or more"
        )
    return weight


def _wrong(path: str, present: bool, found: object, expected: str) -> _Unusable:
    what = f"is {described(found)}" if present else "is missing"
    return _Unusable("InvalidSplit", f"{path} {what}; expected {expected}")
