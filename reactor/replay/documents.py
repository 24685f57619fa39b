"""Objects of a log, decoded once by today's code while they are in use."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from reactor.errors import ReactorError
from reactor.model.serviceprofile import ServiceProfile
from reactor.model.trafficsplit import TrafficSplit
from reactor.translate.recorded import profile_of, split_of

KEPT: Final = 256
"""Objects in memory: a split that stands unchanged beside others is in row after row."""


class Missing(ReactorError):
    """A document that a row refers to isn't in the log."""


class Documents:
    """The objects that rows refer to; `open` says where their documents are now."""

    def __init__(self) -> None:
        self._bodies: Mapping[bytes, bytes] = {}
        self._splits: OrderedDict[tuple[bytes, str], TrafficSplit] = OrderedDict()
        self._profiles: OrderedDict[bytes, ServiceProfile] = OrderedDict()

    def open(self, bodies: Mapping[bytes, bytes]) -> None:
        """Go on with the documents of another batch."""
        self._bodies = bodies

    def split(self, digest: bytes, domain: str) -> TrafficSplit:
        """Read a split in a cluster of this domain."""
        key = digest, domain
        found = self._splits.get(key)
        if found is None:
            found = self._splits[key] = split_of(digest, self._body(digest), domain)
            if len(self._splits) > KEPT:
                self._splits.popitem(last=False)
        return found

    def profile(self, digest: bytes) -> ServiceProfile:
        """Read a profile."""
        found = self._profiles.get(digest)
        if found is None:
            found = self._profiles[digest] = profile_of(digest, self._body(digest))
            if len(self._profiles) > KEPT:
                self._profiles.popitem(last=False)
        return found

    def _body(self, digest: bytes) -> bytes:
        body = self._bodies.get(digest)
        if body is None:
            raise Missing(f"document {digest.hex()[:12]} is not in the log")
        return body
