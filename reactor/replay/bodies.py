"""Recorded documents as the bodies of requests to another cluster."""

from __future__ import annotations

from typing import Any

from reactor.model.decode import document, parse_object

_KEPT = ("name", "namespace", "labels", "annotations")
"""Of metadata. An ownerReference would be of an object that isn't there, and a finalizer of
someone who isn't."""


def manifest(body: bytes, api_version: str, kind: str) -> dict[str, Any]:
    """An object as someone would write it, without what an API server gave it."""
    found = parse_object(body)
    metadata = {key: value for key, value in found["metadata"].items() if key in _KEPT}
    rest = {
        key: value
        for key, value in found.items()
        if key not in ("apiVersion", "kind", "metadata", "status")
    }
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}


def encode(obj: dict[str, Any]) -> bytes:
    """JSON with numbers as they were written."""
    return document(obj).body


def without_overrides(body: bytes) -> bytes:
    """A profile without dstOverrides."""
    found = parse_object(body)
    spec = found.get("spec")
    if isinstance(spec, dict):
        found = {**found, "spec": {k: v for k, v in spec.items() if k != "dstOverrides"}}
    return encode(found)


def merge_patch(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The JSON merge patch (RFC 7386) that makes ``after`` of ``before``."""
    patch: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        held = before.get(key)
        if isinstance(value, dict) and isinstance(held, dict):
            below = merge_patch(held, value)
            if below:
                patch[key] = below
        elif key not in before or held != value:
            patch[key] = value
    return patch
