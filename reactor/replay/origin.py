"""Whether a cluster is the one that a log was recorded from."""

from __future__ import annotations

import asyncio

import msgspec

from reactor.audit.query.filters import Filters
from reactor.kube import snapshot
from reactor.kube.listing import Lists
from reactor.replay.source import Source


class _Observed(msgspec.Struct):
    object: str
    name: str
    uid: str


async def recorded_here(connection: Lists, source: Source, *, domain: str) -> str | None:
    """A split or profile of this cluster that the log tells of, by its uid; None: there is none.

    The log holds no identity of its cluster. So this can't know a cluster whose splits and
    profiles have all been made anew since.
    """
    look = await snapshot.take(connection, domain=domain)
    live = {split.meta.uid for split in look.splits}
    live |= {profile.meta.uid for profile in look.profiles}
    return await asyncio.to_thread(_told_of, source, live) if live else None


def _told_of(source: Source, live: set[str]) -> str | None:
    decode = msgspec.json.Decoder(_Observed).decode
    filters = Filters(kind="observed")
    for batch in source.batches(filters, source.span(filters)):
        for row in batch.rows:
            found = decode(row.detail)
            if found.uid in live:
                return f"{found.object.removesuffix('s')} {row.namespace}/{found.name}"
    return None
