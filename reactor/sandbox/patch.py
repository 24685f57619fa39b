"""The three patches: JSON merge patch (RFC 7386), JSON patch (RFC 6902), strategic merge."""

from __future__ import annotations

from typing import Any

import jsonpatch
import jsonpointer

from reactor.sandbox import strategic
from reactor.sandbox.documents import Document, copy, decode
from reactor.sandbox.shape import Shape
from reactor.sandbox.status import (
    Cause,
    StatusError,
    Subject,
    bad_request,
    invalid,
    unsupported_media_type,
)

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"


def patched(
    document: Document, body: bytes, *, kind: str, shape: Shape, custom: bool, subject: Subject
) -> Document:
    """A copy of `document` with the patch applied. Raises StatusError."""
    accepted = [JSON, MERGE, *([] if custom else [STRATEGIC])]
    if kind == APPLY:
        raise StatusError(
            415,
            "UnsupportedMediaType",
            "the sandbox does not serve server-side apply - use a client-side apply, "
            "or a JSON or merge patch",
        )
    if kind not in accepted:
        raise unsupported_media_type([*accepted, APPLY])
    try:
        patch = decode(body)
    except ValueError as error:
        told = str(error)
        if "truncated" in told:
            told = "unexpected end of JSON input"
        raise bad_request(f"error decoding patch: {told}") from error
    if kind == JSON:
        return _json(document, patch, subject)
    if not isinstance(patch, dict):
        raise bad_request(
            "error decoding patch: json: cannot unmarshal array into Go value of type "
            "map[string]interface {}"
        )
    if kind == MERGE:
        merged: Document = merge(copy(document), patch)
        return merged
    return strategic.merge(copy(document), patch, shape)


def merge(target: Any, patch: Any) -> Any:
    """Merge `patch` into `target`, which is changed: null removes, maps merge."""
    if not isinstance(patch, dict):
        return patch
    result = target if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def _json(document: Document, patch: Any, subject: Subject) -> Document:
    if not isinstance(patch, list):
        raise bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type "
            "[]handlers.jsonPatchOp"
        )
    try:
        result: Document = jsonpatch.JsonPatch(patch).apply(document)
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException) as error:
        raise StatusError(
            422,
            "Invalid",
            "the server rejected our request due to an error in our request",
            details={},
        ) from error
    if not isinstance(result, dict):
        raise invalid(subject, [Cause("FieldValueInvalid", "must be an object", "patch")])
    return result
