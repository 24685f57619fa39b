"""How one row is chained to the one before it."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec

GENESIS = bytes(32)
"""What the very first row is chained to."""

_encode = msgspec.msgpack.Encoder().encode


def link(previous: bytes, values: tuple[Any, ...]) -> bytes:
    """SHA-256 of the previous row's hash and the row's canonical form.

    The canonical form is the MessagePack array of all columns but ``hash``, in the table's
    order, integers in their shortest form: it tells NULL from "" and text from bytes.
    """
    return sha256(previous + _encode(values)).digest()
