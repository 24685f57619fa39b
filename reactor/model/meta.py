"""What every Kubernetes object bears: identity, version, and who wrote it last."""

from __future__ import annotations

from collections.abc import Mapping
from sys import intern
from typing import Any

import msgspec


class Manager(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One entry of ``metadata.managedFields``.

    ``time`` is RFC 3339 as the server wrote it (seconds); ``weights`` says that the entry holds
    what traffic goes by: ``f:spec.f:dstOverrides`` of a profile, ``f:spec.f:backends`` of a split.
    """

    name: str
    operation: str
    time: str
    weights: bool = False


class Meta(msgspec.Struct, frozen=True, gc=False):
    """Identity and version of one object. ``created`` is RFC 3339, seconds."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    created: str = ""
    generation: int = 0
    managers: tuple[Manager, ...] = ()

    @property
    def version(self) -> int:
        """The resourceVersion as a number (comparable per KEP-5504), 0 when it is none."""
        text = self.resource_version
        return int(text) if len(text) < 40 and text.isdecimal() else 0


class Document(msgspec.Struct, frozen=True, gc=False):
    """An object's canonical JSON without managedFields, and its SHA-256 (32 bytes)."""

    digest: bytes
    body: bytes


class Stored(msgspec.Struct, frozen=True, gc=False):
    """What is known of an object that is read from its document: that, and who owned it."""

    document: Document
    managers: tuple[Manager, ...] = ()


def decode(obj: Mapping[str, Any], managers: tuple[Manager, ...] | None = None) -> Meta:
    """Read ``metadata``; ValueError when name, namespace or uid is missing.

    ``managers`` stand for managedFields where these were read before.
    """
    metadata = obj.get("metadata")
    if type(metadata) is not dict:
        raise ValueError("metadata: missing, or not an object")
    namespace = _identity(metadata, "namespace")
    name = _identity(metadata, "name")
    uid = _identity(metadata, "uid")
    generation = metadata.get("generation")
    return Meta(
        namespace=intern(str(namespace)),
        name=intern(str(name)),
        uid=str(uid),
        resource_version=_text(metadata.get("resourceVersion")),
        created=_text(metadata.get("creationTimestamp")),
        generation=generation if type(generation) is int else 0,
        managers=_managers(metadata.get("managedFields")) if managers is None else managers,
    )


def _managers(entries: object) -> tuple[Manager, ...]:
    if type(entries) is not list:
        return ()
    managers = []
    for entry in entries:
        if type(entry) is not dict:
            continue
        fields = entry.get("fieldsV1")
        spec = fields.get("f:spec") if type(fields) is dict else None
        managers.append(
            Manager(
                intern(_text(entry.get("manager"))),
                intern(_text(entry.get("operation"))),
                intern(_text(entry.get("time"))),
                type(spec) is dict and ("f:dstOverrides" in spec or "f:backends" in spec),
            )
        )
    return tuple(managers)


def _identity(metadata: Mapping[str, Any], field: str) -> str:
    value = metadata.get(field)
    if type(value) is not str or not value:
        raise ValueError(f"metadata.{field}: missing, or not a text")
    return value


def _text(value: object) -> str:
    return value if type(value) is str else ""
