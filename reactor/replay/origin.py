"""Whether a cluster is the one that a log was recorded from."""

from __future__ import annotations

import asyncio

import msgspec

from reactor.audit.journal import CLUSTER
from reactor.audit.query.filters import Filters
from reactor.kube import snapshot
from reactor.kube.cluster import SERVICE, cluster_uid
from reactor.kube.requests import Requests
from reactor.replay.source import Source

_PATIENCE = 10.0


class _Observed(msgspec.Struct):
    object: str
    name: str
    uid: str


async def recorded_here(connection: Requests, source: Source, *, domain: str) -> str | None:
    """By what the log's cluster is known to be this one, in words; None: by nothing.

    By the uid that each run keeps of its cluster, or by a split or a profile of the log that is
    there: a run that could not ask for the uid has none, nor have logs of earlier releases.
    """
    uid = await cluster_uid(connection, patience=_PATIENCE)
    if uid and uid in await asyncio.to_thread(_clusters, source):
        return f"its Service {SERVICE} has the uid that the log keeps"
    look = await snapshot.take(connection, domain=domain)
    live = {split.meta.uid for split in look.splits}
    live |= {profile.meta.uid for profile in look.profiles}
    return await asyncio.to_thread(_told_of, source, live) if live else None


def _clusters(source: Source) -> set[str]:
    decode = msgspec.json.Decoder(dict[str, str]).decode
    return {decode(run.settings).get(CLUSTER, "") for run in source.runs()}


def _told_of(source: Source, live: set[str]) -> str | None:
    decode = msgspec.json.Decoder(_Observed).decode
    filters = Filters(kind="observed")
    for batch in source.batches(filters, source.span(filters)):
        for row in batch.rows:
            found = decode(row.detail)
            if found.uid in live:
                what = found.object.removesuffix("s")
                return f"{what} {row.namespace}/{found.name} of the log is there, by its uid"
    return None
