"""Kubernetes quantities: k8s.io/apimachinery/pkg/api/resource, exact and canonical."""

from __future__ import annotations

import msgspec


class Quantity(msgspec.Struct, frozen=True):
    """A parsed quantity: exact value in nano-units, and Go's canonical spelling.

    Compare by ``nanos``; ``text`` is what ``resource.Quantity.String()`` prints.
    """

    nanos: int
    text: str
