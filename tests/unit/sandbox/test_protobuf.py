"""Protobuf bodies: a real one is read, and a broken one is refused, never misread."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor.sandbox import protobuf


def field(number: int, payload: bytes | int) -> bytes:
    """One encoded field; sizes stay below 128."""
    if isinstance(payload, int):
        return bytes([number << 3, payload])
    return bytes([number << 3 | 2, len(payload)]) + payload


def envelope(kind: str, raw: bytes) -> bytes:
    meta = field(1, b"v1") + field(2, kind.encode())
    return protobuf.MAGIC + field(1, meta) + field(2, raw)


def test_a_namespace_is_read() -> None:
    metadata = field(1, b"team") + field(2, b"") + field(11, field(1, b"a") + field(2, b"b"))
    body = envelope("Namespace", field(1, metadata) + field(2, b"") + field(3, b""))
    assert protobuf.decode(body) == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "team", "labels": {"a": "b"}},
    }


def test_a_zero_counts_where_go_has_a_pointer() -> None:
    replicas, pause = field(1, 0), field(7, 0)
    body = envelope("Deployment", field(2, replicas + pause))
    assert protobuf.decode(body)["spec"] == {"replicas": 0}


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValueError, match="doesn't know field 15 of Namespace"):
        protobuf.decode(envelope("Namespace", field(15, b"x")))


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="reads no Gadget in protobuf: send JSON"):
        protobuf.decode(envelope("Gadget", b""))


@given(st.binary(max_size=64))
def test_garbage_is_refused_and_crashes_nothing(garbage: bytes) -> None:
    for body in (garbage, protobuf.MAGIC + garbage, envelope("ConfigMap", garbage)):
        with contextlib.suppress(ValueError):
            assert isinstance(protobuf.decode(body), dict)
