"""What the API server's roles refuse us, for /ready."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import msgspec

_KEPT = 600.0  # seconds; whatever still needs the right asks for it again within 5 minutes
_DENIED = re.compile(r'\bUser "[^"]*" cannot \w+ resource "')
_OPTIONAL = {
    "events": "no Event on a split tells what became of it",
    "tokenreviews": "nobody can read the audit API",
    "subjectaccessreviews": "nobody can read the audit API",
}


class Missing(msgspec.Struct, frozen=True):
    """A right that was refused: splits are synced without it if it is ``optional``."""

    verb: str
    resource: str
    said: str

    @property
    def optional(self) -> bool:
        """Whether the adaptor does its work all the same."""
        return self.resource in _OPTIONAL

    def __str__(self) -> str:
        role = "Role" if self.resource == "leases" else "ClusterRole"
        cost = f", so {_OPTIONAL[self.resource]}" if self.optional else ""
        return (
            f"no permission to {self.verb} {self.resource}{cost} ({self.said}): apply the {role} "
            "of config/rbac, which `linkerd smi install` prints too, and bind it to the adaptor"
        )


class Permissions:
    """Rights that were refused, until they are granted. One per connection."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._refused: dict[tuple[str, str], tuple[float, str]] = {}

    def forbidden(self, verb: str, resource: str, message: str) -> None:
        """Takes note of a 403 if it comes from the roles: quotas and webhooks answer it too."""
        denied = _DENIED.search(message)
        if denied is not None:
            self._refused[verb, resource] = (self._clock(), message[denied.start() :])

    def granted(self, verb: str, resource: str) -> None:
        """A request went through."""
        if self._refused:
            self._refused.pop((verb, resource), None)

    def missing(self) -> list[Missing]:
        """What is refused now, as far as we know."""
        oldest = self._clock() - _KEPT
        return [
            Missing(verb, resource, said)
            for (verb, resource), (at, said) in sorted(self._refused.items())
            if at >= oldest
        ]
