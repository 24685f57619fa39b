"""A core/v1 Service: whether it is there, and whether it has a cluster IP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from reactor.model import meta
from reactor.model.meta import Meta

PLURAL = "services"
VERSION = "v1"

ServiceState = Literal["present", "headless", "missing"]


class Service(msgspec.Struct, frozen=True, gc=False):
    """A Service as watched. ``headless`` means clusterIP: None."""

    meta: Meta
    headless: bool


def decode(obj: Mapping[str, Any]) -> Service:
    """Read a Service; ValueError when metadata has no name, namespace or uid."""
    spec = obj.get("spec")
    return Service(
        meta=meta.decode(obj, ()),  # who wrote it matters to nobody
        headless=type(spec) is dict and spec.get("clusterIP") == "None",
    )
