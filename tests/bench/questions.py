"""What is asked of a long log (`longlog`), the same of every store: hundreds of each sort.

A question knows how to ask itself of a reader, and what of its answer has to be so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from random import Random
from typing import Any, Final, Literal, Protocol

import msgspec

from reactor.audit.query import Filters, Order, Page
from reactor.audit.query.history import Log, history
from reactor.audit.query.position import HIGHEST, LOWEST
from reactor.audit.query.standing import standing
from tests.bench import longlog

Group = Literal["filters", "pairs", "any", "travel", "history"]

SINGLE: Final = (
    *("kind", "namespace", "split", "service", "outcome", "finding", "actor", "reconcile"),
    *("run", "text", "since", "until"),
)
"""Every filter of `entries`."""

PAIRS: Final = (
    *("namespace+kind", "namespace+outcome", "namespace+split", "namespace+service"),
    *("namespace+actor", "namespace+finding", "namespace+text", "namespace+since"),
    *("split+kind", "split+outcome", "split+since", "split+actor"),
    *("service+kind", "service+outcome", "service+since", "service+actor"),
    *("kind+outcome", "kind+actor", "kind+since", "kind+text", "run+kind", "run+outcome"),
    *("outcome+since", "finding+since", "actor+since", "text+since", "reconcile+kind"),
    *("finding+text", "outcome+text", "since+until"),
)
"""What people ask for in pairs; a split or a service by its bare name, whatever namespaces
have one.
"""

ENDS: Final = ("v1.>0", "v1.<999999999999999999")
"""Cursors from which a page holds the oldest rows, and the newest, of a local log;"""
ARCHIVE_ENDS: Final = (f"v1.>{LOWEST}", f"v1.<{HIGHEST}")
"""the same of an archive."""

_LIMIT: Final = 100
_TURNS: Final[tuple[tuple[Order, bool], ...]] = tuple(product(("newest", "oldest"), (False, True)))


class Span(msgspec.Struct, frozen=True):
    """Of the log that is asked: how many changes are in it, and its runs."""

    changes: int
    runs: tuple[str, ...]

    @classmethod
    def of(cls, rows: int, runs: Sequence[str]) -> Span:
        return cls(rows // 4, tuple(runs))


class Question(Protocol):
    """``whole``: the answer mustn't be a partial one."""

    @property
    def group(self) -> Group: ...
    @property
    def name(self) -> str:
        """Of its sort, such as namespace+outcome."""
        ...

    @property
    def whole(self) -> bool: ...

    async def ask(self, log: Log, ends: tuple[str, str]) -> Page | None:
        """The page, if the answer is one."""
        ...


class Listing(msgspec.Struct, frozen=True):
    """A page of entries: the first in an order, or the ``last``."""

    group: Group
    name: str
    filters: Filters
    order: Order
    last: bool

    @property
    def whole(self) -> bool:
        return self.group != "any"

    def cursor(self, ends: tuple[str, str]) -> str | None:
        """Where it begins."""
        return ends[self.order == "oldest"] if self.last else None

    async def ask(self, log: Log, ends: tuple[str, str]) -> Page | None:
        return await log.entries(
            self.filters, limit=_LIMIT, order=self.order, cursor=self.cursor(ends)
        )


class Travel(msgspec.Struct, frozen=True):
    """The overrides of a service's profile as they stood then."""

    namespace: str
    service: str
    at: int

    group: Group = "travel"
    name: str = "profile?at"
    whole: bool = True

    async def ask(self, log: Log, ends: tuple[str, str]) -> Page | None:
        await standing(log, self.namespace, self.service, at=self.at)
        return None


class Story(msgspec.Struct, frozen=True):
    """The last changes of a split."""

    namespace: str
    split: str
    limit: int

    group: Group = "history"
    name: str = "history"
    whole: bool = True

    async def ask(self, log: Log, ends: tuple[str, str]) -> Page | None:
        await history(log, self.namespace, self.split, limit=self.limit)
        return None


def questions(span: Span, *, each: int, seed: int = 1) -> Iterator[Question]:
    """The same ones for the same log. ``each``: values of each filter or pair, which are asked
    for in both orders, the first page and the last.
    """
    random = Random(seed)
    wanted: list[tuple[Group, str]] = [("filters", name) for name in SINGLE]
    wanted += [("pairs", name) for name in PAIRS]
    for group, name in wanted:
        for _ in range(each):
            filters = _filters(random, span, name.split("+"))
            for order, last in _TURNS:
                yield Listing(group, name, filters, order, last)
    for _ in range(each * 20):
        fields = sorted(random.sample(SINGLE, random.randint(3, 6)))
        filters = _filters(random, span, fields)
        order, last = random.choice(_TURNS)
        yield Listing("any", "+".join(fields), filters, order, last)
    for _ in range(each * 20):
        namespace, name = random.choice(_NAMESPACES), random.choice(_SPLITS)
        yield Travel(namespace, name, _moment(random, span))
        yield Story(namespace, name, random.choice((20, 100)))


_NAMESPACES: Final = [f"team-{number}" for number in range(longlog.NAMESPACES)]
_SPLITS: Final = [f"web-{number}" for number in range(longlog.SPLITS // longlog.NAMESPACES)]
_TEXTS: Final[tuple[Callable[[int], str], ...]] = (
    lambda number: "timed out",
    lambda number: "weight",
    lambda number: f'"weight {number % 100}"',
    lambda number: f'shadowedby "web {number % 25}"',
    lambda number: f"canary {number % 100}",
    lambda number: "invalidweight backend weight",
    lambda number: "nowhere",
)


def _filters(random: Random, span: Span, fields: Sequence[str]) -> Filters:
    given: dict[str, Any] = {
        "kind": random.choice(("observed", "translated", "synced", "started")),
        "namespace": random.choice(_NAMESPACES),
        "split": random.choice(_SPLITS),
        "service": random.choice(_SPLITS),
        "outcome": random.choice(("patched", "invalid", "failed")),
        "finding": random.choice(("ShadowedBy", "InvalidWeight")),
        "actor": random.choice((*longlog.ACTORS, "smi-adaptor")),
        "reconcile": longlog.reconcile(random.randint(1, span.changes)),
        "run": random.choice(span.runs),
        "text": random.choice(_TEXTS)(random.randrange(1000)),
        "since": _moment(random, span),
        "until": _moment(random, span),
    }
    if given["since"] > given["until"]:
        given["since"], given["until"] = given["until"], given["since"]
    return Filters(**{field: given[field] for field in fields})


def _moment(random: Random, span: Span) -> int:
    return longlog.FIRST + random.randint(0, span.changes * longlog.STEP)
