"""What a write is about, how it is to be done, and what it left behind."""

from __future__ import annotations

import msgspec

from reactor.sandbox.registry import Resource, Version
from reactor.sandbox.storage import Stored


class Target(msgspec.Struct, frozen=True):
    """The object an operation is about, in the version the client speaks."""

    resource: Resource
    version: Version
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def api_version(self) -> str:
        return self.resource.api_version(self.version.name)

    @property
    def path(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class Options(msgspec.Struct, frozen=True):
    """Query parameters of a write."""

    manager: str = "unknown"
    dry_run: bool = False
    validation: str = "Ignore"


class Outcome(msgspec.Struct, frozen=True):
    """What a write left behind."""

    stored: Stored
    created: bool = False
    warnings: tuple[str, ...] = ()
    # False while finalizers keep a deleted object.
    gone: bool = False
