"""Lists: whole or in chunks, consistent across chunks, at a version."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left

import msgspec

from reactor.sandbox.documents import decode, encode
from reactor.sandbox.selectors import Predicate
from reactor.sandbox.status import StatusError, bad_request, expired
from reactor.sandbox.storage import Store, Stored, Table

_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can "
    "start a new list without the continue parameter, or use the continue token in this response "
    "to retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list."
)


class Page(msgspec.Struct, frozen=True):
    """One answer to a list."""

    items: list[Stored]
    version: int
    token: str = ""
    remaining: int | None = None


class Ask(msgspec.Struct, frozen=True):
    """Query parameters of a list."""

    namespace: str = ""
    limit: int = 0
    token: str = ""
    version: str = ""
    match: str = ""


def page(store: Store, table: Table, ask: Ask, chosen: Predicate | None) -> Page:
    """Read one page. Raises StatusError (400, 410, 504)."""
    version, start = store.version, ""
    if ask.token:
        if ask.version and ask.version != "0":
            raise bad_request("specifying resource version is not allowed when using continue")
        version, start = _parse(ask.token)
        if version < 0:
            version = store.version
    elif ask.version:
        version = _asked(store, ask)
    state = table.objects if version == store.version else table.at(version)
    if state is None:
        if ask.token:
            raise _stale(start)
        raise expired(f"The resourceVersion for the provided list is too old: {version}")
    order = table.order if state is table.objects else sorted(state)
    return _cut(state, order, version, start, ask, chosen)


def _cut(
    state: dict[str, Stored],
    order: list[str],
    version: int,
    start: str,
    ask: Ask,
    chosen: Predicate | None,
) -> Page:
    first, last = 0, len(order)
    if ask.namespace:
        first = bisect_left(order, ask.namespace + "/")
        last = bisect_left(order, ask.namespace + "0")
    prefix = ask.namespace + "/" if ask.namespace else ""
    if start:
        first = max(first, bisect_left(order, prefix + start))
    items: list[Stored] = []
    for place in range(first, last):
        stored = state[order[place]]
        if chosen is not None and not chosen(stored):
            continue
        if ask.limit and len(items) == ask.limit:
            token = _token(version, items[-1].path.removeprefix(prefix) + "\0")
            return Page(items, version, token, None if chosen else last - place)
        items.append(stored)
    return Page(items, version)


def _asked(store: Store, ask: Ask) -> int:
    try:
        version = int(ask.version)
    except ValueError:
        raise bad_request(
            f'invalid resource version: resourceVersion: Invalid value: "{ask.version}": '
            f'strconv.ParseUint: parsing "{ask.version}": invalid syntax'
        ) from None
    if version > store.version:
        raise StatusError(
            504,
            "Timeout",
            f"Timeout: Too large resource version: {version}, current: {store.version}",
            details={
                "causes": [
                    {
                        "reason": "ResourceVersionTooLarge",
                        "message": "Too large resource version",
                    }
                ],
                "retryAfterSeconds": 1,
            },
        )
    return version if ask.match == "Exact" else store.version


def _token(version: int, start: str) -> str:
    body = encode({"v": "meta.k8s.io/v1", "rv": version, "start": start})
    return base64.urlsafe_b64encode(body).decode().rstrip("=")


def _parse(token: str) -> tuple[int, str]:
    try:
        body = decode(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return int(body["rv"]), str(body["start"])
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise bad_request(
            "invalid continue token: continue key is not valid: illegal base64 data at input byte "
            f"{len(token) // 4 * 4}"
        ) from None


def _stale(start: str) -> StatusError:
    error = expired(_EXPIRED)
    # A token that goes on at the current version, as the message offers.
    error.metadata["continue"] = _token(-1, start)
    return error
