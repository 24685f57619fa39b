"""ServiceProfile, linkerd.io/v1alpha2: only what a decision needs of it."""

from __future__ import annotations

import msgspec

from reactor.model.meta import Document, Meta

GROUP = "linkerd.io"
VERSION = "v1alpha2"
PLURAL = "serviceprofiles"
FIELD_MANAGER = "smi-adaptor"
SKIP_ANNOTATION = "smi.linkerd.io/skip"


class Override(msgspec.Struct, frozen=True):
    """One ``spec.dstOverrides`` item: an authority (FQDN) and a weight (quantity text)."""

    authority: str
    weight: str


class ServiceProfile(msgspec.Struct, frozen=True):
    """A live profile. ``overrides`` is None when the field is absent (or null).

    ``readable`` is False when dstOverrides has a shape that we would never write (then
    ``overrides`` is empty). ``bare`` says that besides dstOverrides the object holds nothing:
    no other spec field, labels, annotations, ownerReferences, finalizers.
    ``skip`` says that the skip annotation is there.
    """

    meta: Meta
    overrides: tuple[Override, ...] | None
    readable: bool
    bare: bool
    skip: bool
    document: Document

    @property
    def ours(self) -> bool:
        """Whether an Update entry of our field manager holds dstOverrides."""
        return any(
            m.overrides and m.name == FIELD_MANAGER and m.operation == "Update"
            for m in self.meta.managers
        )

    @property
    def only_ours(self) -> bool:
        """Whether managedFields is not empty and names our field manager alone."""
        managers = self.meta.managers
        return bool(managers) and all(m.name == FIELD_MANAGER for m in managers)
