"""Splits, what is applied of them, and the traffic of their leaves become rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from reactor.model.trafficsplit import TrafficSplit
from reactor.stat.figures import Figures, Leaf, Split
from reactor.stat.query import Asked
from reactor.translate.state import State, applied, state, weights
from reactor.translate.survey import Judged


class Row(msgspec.Struct, frozen=True):
    """One leaf of a split, or the split itself when it has none that could be read.

    ``weight`` is the split's, ``applied`` the live profile's. ``reason`` says why the state is
    not in-sync, and is empty when it is.
    """

    namespace: str
    name: str
    apex: str | None
    leaf: str | None
    weight: str | None
    applied: str | None
    state: State
    reason: str
    figures: Figures | None


def asked(splits: Iterable[TrafficSplit]) -> list[Asked]:
    """What to ask Prometheus for; splits without leaves have no traffic."""
    return [
        Asked(
            split.meta.namespace,
            split.meta.name,
            tuple(dict.fromkeys([split.service, *(one.service for one in split.backends)])),
        )
        for split in splits
        if split.service is not None and split.backends
    ]


def rows(
    splits: Iterable[TrafficSplit],
    judged: Iterable[Judged],
    traffic: Mapping[Split, Mapping[Leaf, Figures]],
) -> list[Row]:
    """By namespace and name of the split, its leaves in their order."""
    services = {(one.situation.namespace, one.situation.service): one for one in judged}
    found = []
    for split in sorted(splits, key=lambda split: (split.meta.namespace, split.meta.name)):
        namespace, name = split.meta.namespace, split.meta.name
        one = None if split.service is None else services[namespace, split.service]
        stands, reason = state(split, one)
        leaves = weights(split)
        figures = traffic.get((namespace, name), {})
        found += [
            Row(
                namespace=namespace,
                name=name,
                apex=split.service,
                leaf=leaf,
                weight=weight,
                applied=applied(one, leaf),
                state=stands,
                reason=reason,
                figures=figures.get((namespace, leaf)),
            )
            for leaf, weight in leaves.items()
        ] or [Row(namespace, name, split.service, None, None, None, stands, reason, None)]
    return found
