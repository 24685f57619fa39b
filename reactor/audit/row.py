"""One row of the log in its place."""

from __future__ import annotations

import msgspec

DIGEST = 32
"""Bytes of a SHA-256."""


class Row(msgspec.Struct, frozen=True):
    """A stored row, all columns. ``at`` is microseconds UTC; ``detail`` a JSON object as stored;
    ``documents`` the digests it refers to, joined; ``hash`` its link of the chain.

    The order of the fields is the order of the columns in the table.
    """

    position: int
    run: str
    seq: int
    at: int
    kind: str
    namespace: str | None
    split: str | None
    service: str | None
    outcome: str | None
    actor: str | None
    reconcile: str | None
    resource_version: str | None
    detail: str
    documents: bytes
    hash: bytes

    @property
    def digests(self) -> tuple[bytes, ...]:
        """The documents it refers to, in order."""
        joined = self.documents
        return tuple(joined[at : at + DIGEST] for at in range(0, len(joined), DIGEST))


COLUMNS = Row.__struct_fields__
