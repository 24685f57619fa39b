"""What every Kubernetes object bears: identity, version, and who wrote it last."""

from __future__ import annotations

import msgspec


class Manager(msgspec.Struct, frozen=True, array_like=True):
    """One entry of ``metadata.managedFields``.

    ``time`` is RFC 3339 as the server wrote it (seconds); ``overrides`` says that the entry
    holds ``f:spec.f:dstOverrides``.
    """

    name: str
    operation: str
    time: str
    overrides: bool = False


class Meta(msgspec.Struct, frozen=True):
    """Identity and version of one object. ``created`` is RFC 3339, seconds."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    created: str = ""
    generation: int = 0
    managers: tuple[Manager, ...] = ()

    @property
    def version(self) -> int:
        """The resourceVersion as a number (comparable per KEP-5504), 0 when it is none."""
        return int(self.resource_version) if self.resource_version.isdigit() else 0


class Document(msgspec.Struct, frozen=True):
    """An object's canonical JSON without managedFields, and its SHA-256 (32 bytes)."""

    digest: bytes
    body: bytes
