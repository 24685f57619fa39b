"""Which splits and services belong together, since a profile depends on all that share it."""

from __future__ import annotations

import msgspec

from reactor.audit.query.batches import Recorded
from reactor.audit.query.filters import Filters
from reactor.audit.query.pages import Span
from reactor.replay.source import Source

Named = tuple[str, str]


class Scope(msgspec.Struct, frozen=True):
    """Splits and services by namespace and name."""

    splits: frozenset[Named]
    services: frozenset[Named]

    def holds(self, row: Recorded) -> bool:
        """Whether a row is about one of them."""
        namespace = row.namespace or ""
        if row.kind == "observed" and row.split is not None:
            return (namespace, row.split) in self.splits
        return (namespace, row.service or "") in self.services


def of(source: Source, filters: Filters, span: Span) -> Scope | None:
    """All that shares a service, at any time, with what the filters name; None: everything."""
    if filters.split is None and filters.service is None:
        return None
    named: dict[Named, set[Named]] = {}
    asked: set[Named] = set()
    everything = Filters(kind="observed", namespace=filters.namespace)
    for batch in source.batches(everything, span):
        for row in batch.rows:
            if row.service is not None and row.service == filters.service:
                asked.add((row.namespace or "", row.service))
            if row.split is not None:
                services = named.setdefault((row.namespace or "", row.split), set())
                if row.service is not None:
                    services.add((row.namespace or "", row.service))
    splits = {
        split
        for split, services in named.items()
        if filters.split in (None, split[1]) and (filters.service is None or services & asked)
    }
    reached: set[Named] = set()
    while True:
        services = asked.union(*(named[split] for split in splits))
        if services == reached:
            return Scope(frozenset(splits), frozenset(services))
        reached = services
        splits |= {split for split, of_it in named.items() if of_it & services}
