"""Lists and watch lines taken apart, each object left raw for its decoder."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from reactor.errors import Retryable
from reactor.model.decode import pruned


class _ListMeta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class Page(msgspec.Struct):
    """One chunk of a list."""

    metadata: _ListMeta
    items: list[msgspec.Raw]


class Event(msgspec.Struct):
    """One line of a watch."""

    type: str
    object: msgspec.Raw


class HeadMeta(msgspec.Struct, rename="camel"):
    """Identity and version, empty where absent."""

    namespace: str = ""
    name: str = ""
    uid: str = ""
    resource_version: str = ""


class Head(msgspec.Struct):
    """Whose object it is, for one that can't be decoded, and for a BOOKMARK."""

    metadata: HeadMeta


_S = TypeVar("_S", Page, Event, Head)
_pages = msgspec.json.Decoder(Page)
_events = msgspec.json.Decoder(Event)
_heads = msgspec.json.Decoder(Head)


def page(body: bytes) -> Page:
    """Splits a list; Retryable when it is none (a proxy's page, half an answer)."""
    return _decode(_pages, body)


def event(line: bytes) -> Event:
    """Splits a watch line; Retryable when it is none."""
    return _decode(_events, line)


def head(raw: bytes | msgspec.Raw) -> Head | None:
    """An object's identity, None when not even that can be read."""
    try:
        return _decode(_heads, raw)
    except Retryable:
        return None


def _decode(decoder: msgspec.json.Decoder[_S], text: bytes | msgspec.Raw) -> _S:
    try:
        try:
            return decoder.decode(text)
        except RecursionError:  # nested deeper than any honest object
            return decoder.decode(pruned(bytes(text)))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Retryable(f"the API server's answer can't be read: {error}") from error
