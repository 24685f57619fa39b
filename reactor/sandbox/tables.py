"""Tables, as `kubectl get` asks for them: Name, the kind's columns, Age."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from reactor.sandbox.documents import Document, dig
from reactor.sandbox.registry import Column, Resource, Version
from reactor.sandbox.storage import Stored

Cell = Callable[[Document], Any]
_NAME = {
    "name": "Name",
    "type": "string",
    "format": "name",
    "description": "Name must be unique within a namespace.",
    "priority": 0,
}
_AGE = {
    "name": "Age",
    "type": "string",
    "format": "",
    "description": "CreationTimestamp is the server time when this object was created.",
    "priority": 0,
}
_STEP = re.compile(r"\[(\d+)\]|\.?([^.\[\]]+)")


def table(
    resource: Resource,
    version: Version,
    items: Sequence[Stored],
    *,
    now: datetime,
    metadata: Document,
    include: str = "Metadata",
    headed: bool = True,
) -> Document:
    """A meta.k8s.io/v1 Table. `include` is None, Metadata or Object."""
    columns = version.columns
    api_version = resource.api_version(version.name)
    rows = []
    for stored in items:
        document = stored.document(api_version, resource.kind)
        row: Document = {
            "cells": [stored.name, *(_cell(column, document, now) for column in columns)]
        }
        if _aged(resource, version):
            row["cells"].append(age(document["metadata"].get("creationTimestamp"), now))
        if include == "Object":
            row["object"] = document
        elif include != "None":
            row["object"] = partial(document)
        rows.append(row)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": _definitions(columns, _aged(resource, version)) if headed else None,
        "rows": rows,
    }


def partial(document: Document) -> Document:
    """The object's metadata alone."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": document["metadata"],
    }


def age(timestamp: Any, now: datetime) -> str:
    """How long ago, in kubectl's words: 5s, 3m10s, 2h, 4d."""
    if not isinstance(timestamp, str):
        return "<unknown>"
    then = datetime.fromisoformat(timestamp.replace("Z", "+00:00"))
    seconds = max(0, int((now.astimezone(UTC) - then).total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    if days < 730:
        return f"{days}d"
    years, rest = days // 365, days % 365
    return f"{years}y{rest}d" if years < 8 and rest else f"{years}y"


def _aged(resource: Resource, version: Version) -> bool:
    """Custom columns replace the age; an event tells when it was last seen instead."""
    if resource.custom:
        return not version.columns
    return resource.plural not in ("events", "customresourcedefinitions")


def _definitions(columns: tuple[Column, ...], aged: bool) -> list[Document]:
    told = [
        {
            "name": column.name,
            "type": column.type,
            "format": column.format,
            "description": column.description or column.name,
            "priority": column.priority,
        }
        for column in columns
    ]
    return [_NAME, *told, *([_AGE] if aged else [])]


def _cell(column: Column, document: Document, now: datetime) -> Any:
    special = _SPECIAL.get((document["kind"], column.name))
    if special is not None:
        return special(document)
    value = _path(document, column.path)
    if column.type == "date":
        # Of built-in kinds and of definitions alike, a date is told as its age.
        return age(value, now) if document["kind"] != "CustomResourceDefinition" else value
    if document["kind"] == "Event" and column.name == "Last Seen":
        return age(value or document["metadata"].get("creationTimestamp"), now)
    if value is None and column.type == "string" and document["kind"] in _BUILT_IN:
        return "<none>"
    if column.type == "string" and isinstance(value, dict | list):
        return str(value)
    return value


def _path(document: Document, path: str) -> Any:
    """A dotted path, or the plain part of JSONPath: .spec.items[0].name"""
    value: Any = document
    for index, key in _STEP.findall(path.lstrip(".")):
        if index:
            place = int(index)
            value = value[place] if isinstance(value, list) and place < len(value) else None
        else:
            value = value.get(key) if isinstance(value, dict) else None
    return value


def _ports(document: Document) -> str:
    ports = dig(document, "spec", "ports") or []
    return ",".join(f"{p.get('port')}/{p.get('protocol', 'TCP')}" for p in ports) or "<none>"


def _ready(document: Document) -> str:
    ready = dig(document, "status", "readyReplicas") or 0
    return f"{ready}/{dig(document, 'spec', 'replicas') or 0}"


def _object(document: Document) -> str:
    about = document.get("involvedObject") or {}
    return f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}"


def _role(document: Document) -> str:
    reference = document.get("roleRef") or {}
    return f"{reference.get('kind')}/{reference.get('name')}"


def _count(field: str) -> Cell:
    return lambda document: len(document.get(field) or ())


_SPECIAL: dict[tuple[str, str], Cell] = {
    ("Service", "Port(s)"): _ports,
    ("Deployment", "Ready"): _ready,
    ("Deployment", "Up-to-date"): lambda d: dig(d, "status", "updatedReplicas") or 0,
    ("Deployment", "Available"): lambda d: dig(d, "status", "availableReplicas") or 0,
    ("Event", "Object"): _object,
    ("ClusterRoleBinding", "Role"): _role,
    ("RoleBinding", "Role"): _role,
    ("ConfigMap", "Data"): _count("data"),
    ("Secret", "Data"): _count("data"),
    ("ServiceAccount", "Secrets"): _count("secrets"),
}
_BUILT_IN = frozenset(kind for kind, _ in _SPECIAL) | {"Namespace", "Pod", "Lease"}
