"""Objects as a test writes them down."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from reactor.model import serviceprofile, trafficsplit
from reactor.model.decode import parse_object
from reactor.model.serviceprofile import ServiceProfile
from reactor.model.trafficsplit import TrafficSplit


def split(
    name: str = "web-split",
    *,
    version: int = 1,
    uid: str = "uid-1",
    service: str | None = "web",
    namespace: str = "ns",
    **annotations: str,
) -> dict[str, Any]:
    return {
        "apiVersion": "split.smi-spec.io/v1alpha4",
        "kind": "TrafficSplit",
        "metadata": {
            "namespace": namespace,
            "name": name,
            "uid": uid,
            "resourceVersion": str(version),
            "annotations": annotations,
        },
        "spec": {"service": service, "backends": [{"service": "web-1", "weight": 1}]},
    }


def decode_split(raw: msgspec.Raw | bytes) -> TrafficSplit:
    return trafficsplit.decode(parse_object(raw), domain="cluster.local")


def decode_profile(raw: msgspec.Raw | bytes) -> ServiceProfile:
    return serviceprofile.decode(parse_object(raw))


def decoded(name: str = "web-split", **fields: Any) -> TrafficSplit:
    return decode_split(text(split(name, **fields)))


def text(obj: object) -> bytes:
    return json.dumps(obj).encode()
