"""TrafficSplit, split.smi-spec.io v1alpha1 to v1alpha4."""

from __future__ import annotations

import msgspec

from reactor.model.meta import Document, Meta
from reactor.model.quantity import Quantity

GROUP = "split.smi-spec.io"
PLURAL = "trafficsplits"
VERSIONS = ("v1alpha4", "v1alpha3", "v1alpha2", "v1alpha1")  # newest first


class Backend(msgspec.Struct, frozen=True):
    """One leaf: a Service name of the split's namespace, and its weight as written."""

    service: str
    weight: Quantity


class Problem(msgspec.Struct, frozen=True):
    """Why a split can't be honoured: a finding's reason, and a sentence for its author."""

    reason: str
    message: str


class TrafficSplit(msgspec.Struct, frozen=True):
    """A split as decoded. ``service`` is the apex Service's bare name, None when unreadable.

    With a ``problem`` the split is invalid and ``backends`` is empty.
    """

    meta: Meta
    api_version: str
    service: str | None
    backends: tuple[Backend, ...]
    problem: Problem | None
    document: Document
