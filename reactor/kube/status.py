"""Answers that are no success: a Kubernetes Status becomes one of our errors."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Mapping

import msgspec

from reactor.errors import Conflict, Expired, ReactorError, Retryable, Terminal

_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_LONGEST = 300  # characters of a message that go into an error


class _Cause(msgspec.Struct):
    reason: str = ""


class _Details(msgspec.Struct, rename="camel"):
    kind: str = ""
    causes: list[_Cause] | None = None
    retry_after_seconds: float | None = None


class Status(msgspec.Struct):
    """meta/v1 Status, as far as we read it."""

    message: str = ""
    reason: str = ""
    code: int = 0
    details: _Details | None = None

    @property
    def causes(self) -> tuple[str, ...]:
        """Reasons of the causes; a missing namespace counts as one: NamespaceNotFound."""
        details = self.details or _Details()
        found = [cause.reason for cause in details.causes or ()]
        if self.reason == "NotFound" and details.kind == "namespaces":
            found.append("NamespaceNotFound")
        return tuple(found)


_decoder = msgspec.json.Decoder(Status, strict=False)


def decode(body: bytes | msgspec.Raw) -> Status:
    """Whatever came: a proxy's HTML becomes the message."""
    try:
        return _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        text = bytes(body[:_LONGEST]).decode(errors="replace")
        return Status(message=" ".join(text.split()))


def failure(
    method: str, path: str, code: int, headers: Mapping[str, str], status: Status
) -> ReactorError:
    """The error for an answer with this HTTP status code."""
    said = status.message[:_LONGEST] or status.reason or "no message"
    message = f"{method} {path}: {code} {said}"
    if code == 410 or "ResourceVersionTooLarge" in status.causes:
        return Expired(message)
    if code == 409:
        return Conflict(message)
    # Without that reason nothing serves the path: that says nothing of the object.
    if code == 404 and status.reason == "NotFound" and method in ("PATCH", "PUT", "DELETE"):
        return Conflict(message, status=404)
    if code in (408, 429) or code >= 500:
        # A 5xx may come from a proxy, or from etcd giving up late: the write may be done.
        sent = method in _WRITES and code >= 500
        return Retryable(message, after=_after(headers, status), status=code, sent=sent)
    return Terminal(message, status=code, reason=status.reason, causes=status.causes)


def _after(headers: Mapping[str, str], status: Status) -> float | None:
    value = headers.get("Retry-After", "").strip()
    if value.isdigit():
        return float(value)
    if value:
        try:
            return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
        except ValueError:
            pass
    return status.details.retry_after_seconds if status.details else None
