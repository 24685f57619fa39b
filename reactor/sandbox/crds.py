"""The definitions a sandbox starts with: SMI's TrafficSplit and Linkerd's ServiceProfile."""

from __future__ import annotations

from typing import Any

from reactor.sandbox.documents import Document

_TEXT: Document = {"type": "string"}
_ANYTHING: Document = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_QUANTITY = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
    r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)


def traffic_split() -> Document:
    """Every version with one schema, stored as v1alpha1: weights are for the adaptor to judge."""
    backend = _object(
        {"service": _TEXT, "weight": {"x-kubernetes-preserve-unknown-fields": True}},
        "service",
        "weight",
    )
    match = _object({"apiGroup": _TEXT, "kind": _TEXT, "name": _TEXT})
    spec = _object(
        {"service": _TEXT, "backends": _list(backend), "matches": _list(match)},
        "service",
        "backends",
    )
    schema = _object({"spec": spec}, "spec")
    column = {
        "name": "Service",
        "type": "string",
        "description": "The service whose traffic is split",
        "jsonPath": ".spec.service",
    }
    versions = [
        _version(name, schema, stored=name == "v1alpha1", columns=[column])
        for name in ("v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4")
    ]
    return _definition("split.smi-spec.io", "TrafficSplit", "trafficsplits", "ts", versions)


def service_profile() -> Document:
    """v1alpha1, where routes are required, and v1alpha2, which is stored."""
    override = _object(
        {
            "authority": _TEXT,
            "weight": {
                "x-kubernetes-int-or-string": True,
                "anyOf": [{"type": "integer"}, {"type": "string"}],
                "pattern": _QUANTITY,
            },
        }
    )
    properties: Document = {
        "dstOverrides": _list(override),
        "opaquePorts": _list(_TEXT),
        "retryBudget": _object(
            {
                "minRetriesPerSecond": {"type": "integer", "format": "int32"},
                "retryRatio": {"type": "number", "format": "float"},
                "ttl": _TEXT,
            },
            "minRetriesPerSecond",
            "retryRatio",
            "ttl",
        ),
        "routes": _list(_route()),
    }
    return _definition(
        "linkerd.io",
        "ServiceProfile",
        "serviceprofiles",
        "sp",
        [
            _version("v1alpha1", _object({"spec": _object(properties, "routes")}), stored=False),
            _version("v1alpha2", _object({"spec": _object(properties)}), stored=True),
        ],
    )


def _route() -> Document:
    among = {key: _list(_ANYTHING) for key in ("all", "any", "not")}
    bound = {"type": "integer", "format": "int32"}
    answer = _object({**among, "status": _object({"min": bound, "max": bound})})
    return _object(
        {
            "name": _TEXT,
            "condition": _object({"method": _TEXT, "pathRegex": _TEXT, **among}),
            "isRetryable": {"type": "boolean"},
            "timeout": _TEXT,
            "responseClasses": _list(
                _object({"condition": answer, "isFailure": {"type": "boolean"}}, "condition")
            ),
        },
        "condition",
        "name",
    )


def _object(properties: Document, *required: str) -> Document:
    schema: Document = {"type": "object", "properties": properties}
    if required:
        schema["required"] = list(required)
    return schema


def _list(items: Document) -> Document:
    return {"type": "array", "items": items}


def _version(
    name: str, schema: Document, *, stored: bool, columns: list[Document] | None = None
) -> Document:
    version: dict[str, Any] = {
        "name": name,
        "served": True,
        "storage": stored,
        "schema": {"openAPIV3Schema": schema},
    }
    if columns:
        version["additionalPrinterColumns"] = columns
    return version


def _definition(
    group: str, kind: str, plural: str, short: str, versions: list[Document]
) -> Document:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {
                "kind": kind,
                "listKind": kind + "List",
                "plural": plural,
                "singular": kind.lower(),
                "shortNames": [short],
            },
            "conversion": {"strategy": "None"},
            "versions": versions,
        },
    }
