"""Metadata rules: names, labels, and the words in which they are refused."""

from __future__ import annotations

import re
from typing import Any

from reactor.sandbox.documents import Document, encode
from reactor.sandbox.status import Cause

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_1123 = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_SUBDOMAIN_WORDS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL_1123_WORDS = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_VALUE_WORDS = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    "or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


def shown(value: Any) -> str:
    """A value as Kubernetes prints it in an error."""
    return encode(value).decode()


def refused(field: str, value: Any, why: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {shown(value)}: {why}", field)


def required(field: str, why: str = "") -> Cause:
    return Cause("FieldValueRequired", f"Required value: {why}" if why else "Required value", field)


def check(document: Document, *, plural: str, group: str, free: bool) -> list[Cause]:
    """What is wrong with an object's metadata."""
    metadata = document["metadata"]
    name = metadata.get("name") or ""
    causes: list[Cause] = []
    if not name:
        causes.append(required("metadata.name", "name or generateName is required"))
    elif free:
        causes.extend(_segment(name))
    elif group == "" and plural in ("namespaces", "services"):
        causes.extend(_label(name, _LABEL_1123, _LABEL_1123_WORDS))
    else:
        if len(name) > 253:
            causes.append(refused("metadata.name", name, "must be no more than 253 bytes"))
        if not _SUBDOMAIN.fullmatch(name):
            causes.append(refused("metadata.name", name, _SUBDOMAIN_WORDS))
    for key, value in (metadata.get("labels") or {}).items():
        if isinstance(value, str) and not _VALUE.fullmatch(value):
            causes.append(refused("metadata.labels", value, _VALUE_WORDS))
        elif isinstance(value, str) and len(value) > 63:
            causes.append(refused("metadata.labels", value, "must be no more than 63 bytes"))
        elif not key:
            causes.append(refused("metadata.labels", key, "name part must be non-empty"))
    return causes


def _label(name: str, pattern: re.Pattern[str], words: str) -> list[Cause]:
    if len(name) > 63:
        return [refused("metadata.name", name, "must be no more than 63 bytes")]
    return [] if pattern.fullmatch(name) else [refused("metadata.name", name, words)]


def _segment(name: str) -> list[Cause]:
    if name in (".", ".."):
        return [refused("metadata.name", name, f"may not be '{name}'")]
    bad = [sign for sign in ("/", "%") if sign in name]
    return [refused("metadata.name", name, f"may not contain '{sign}'") for sign in bad]
