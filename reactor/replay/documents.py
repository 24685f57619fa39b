"""Objects of a log, decoded once by today's code while they are in use."""

from __future__ import annotations

from collections.abc import Mapping

from reactor.errors import ReactorError
from reactor.model.meta import Manager
from reactor.model.serviceprofile import ServiceProfile
from reactor.model.trafficsplit import TrafficSplit
from reactor.translate.recorded import Decoded


class Missing(ReactorError):
    """A document that a row refers to isn't in the log."""


class Documents:
    """The objects that rows refer to; `open` says where their documents are now.

    A split that stands unchanged beside others is in row after row: it is decoded once a batch.
    """

    def __init__(self) -> None:
        self._bodies: Mapping[bytes, bytes] = {}
        self._splits: dict[tuple[bytes, str], TrafficSplit] = {}
        self._profiles: dict[bytes, ServiceProfile] = {}
        self._fresh = Decoded(self._body)

    def open(self, bodies: Mapping[bytes, bytes]) -> None:
        """Go on with the documents of another batch."""
        self._bodies = bodies
        self._splits.clear()
        self._profiles.clear()

    def split(self, digest: bytes, domain: str, managers: tuple[Manager, ...]) -> TrafficSplit:
        """Read a split in a cluster of this domain, owned by these."""
        key = digest, domain
        found = self._splits.get(key)
        if found is None or found.meta.managers != managers:
            found = self._splits[key] = self._fresh.split(digest, domain, managers)
        return found

    def profile(self, digest: bytes, managers: tuple[Manager, ...]) -> ServiceProfile:
        """Read a profile, owned by these."""
        found = self._profiles.get(digest)
        if found is None or found.meta.managers != managers:
            found = self._profiles[digest] = self._fresh.profile(digest, managers)
        return found

    def _body(self, digest: bytes) -> bytes:
        body = self._bodies.get(digest)
        if body is None:
            raise Missing(f"document {digest.hex()[:12]} is not in the log")
        return body
