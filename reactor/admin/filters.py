"""The filters of the entries, as parameters."""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from reactor.admin import moment
from reactor.admin.question import Parameter, number, read, word
from reactor.audit.entry import Kind
from reactor.audit.index.words import Wanted
from reactor.audit.query import LONGEST_PAGE, Filters, Order
from reactor.audit.query.cursor import PATTERN
from reactor.events import Outcome

DEFAULT_LIMIT = 100

KINDS: tuple[str, ...] = get_args(Kind)
OUTCOMES: tuple[str, ...] = get_args(Outcome)
ORDERS: tuple[str, ...] = get_args(Order)


class Question(msgspec.Struct, frozen=True):
    """What is asked for: rows that pass the filters, at most so many, from a cursor on."""

    filters: Filters = Filters()
    order: Order = "newest"
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


def _word(name: str, meaning: str, allowed: str, **schema: Any) -> Parameter:
    full = {"type": "string", **schema}
    return Parameter(name, meaning, allowed, full, word(full))


def _name(name: str, meaning: str) -> Parameter:
    return _word(name, meaning, "1 to 253 visible ASCII characters", pattern=r"^[!-~]{1,253}$")


def _one_of(name: str, meaning: str, values: tuple[str, ...], **schema: Any) -> Parameter:
    return _word(name, meaning, "one of " + ", ".join(values), enum=list(values), **schema)


def _time(name: str, meaning: str) -> Parameter:
    schema = {
        "anyOf": [
            {"type": "string", "format": "date-time"},
            {"type": "string", "pattern": moment.RELATIVE},
        ]
    }
    return Parameter(
        name, meaning, moment.ALLOWED, schema, lambda text, now: moment.parse(text, now=now)
    )


def _words(text: str, now: int) -> str:
    if len(text) > 200:
        raise ValueError("is longer than 200 characters")
    Wanted.parse(text)
    return text


_LIMIT = {"type": "integer", "minimum": 1, "maximum": LONGEST_PAGE, "default": DEFAULT_LIMIT}

NAMESPACE = _name("namespace", "Namespace.")
SPLIT = _name("split", "Name of a TrafficSplit.")
SERVICE = _name("service", "Name of an apex Service.")
RUN = _word(
    "run", "One start of the program.", "the id of a run, a UUID", pattern=r"^[0-9a-f-]{36}$"
)

FILTERS = (
    _one_of("kind", "What happened.", KINDS),
    NAMESPACE,
    SPLIT,
    SERVICE,
    _one_of("outcome", "How a reconciliation ended.", OUTCOMES),
    _word(
        "finding",
        "A finding of the decision, such as ShadowedBy.",
        "letters, up to 64",
        pattern=r"^[A-Za-z]{1,64}$",
    ),
    _name("actor", "The field manager who made the change."),
    _name("reconcile", "Everything about one reconciliation."),
    RUN,
    Parameter(
        "text",
        "Words that all occur in the messages, in any case.",
        'words, or "phrases in quotes", up to 200 characters',
        {"type": "string", "pattern": r"[A-Za-z0-9]", "maxLength": 200},
        _words,
    ),
    _time("since", "At this time or later."),
    _time("until", "Before this time."),
)
PAGING = (
    _one_of("order", "Which entry comes first.", ORDERS, default="newest"),
    Parameter(
        "limit",
        "How many entries at most; a page of large entries may hold fewer.",
        f"a whole number from 1 to {LONGEST_PAGE}",
        _LIMIT,
        number(_LIMIT),
    ),
    _word(
        "cursor",
        "Where to go on: `next` or `previous` of a page.",
        "the value of `next` or `previous` in an earlier answer",
        pattern=f"^{PATTERN}$",
    ),
)
PARAMETERS = (*FILTERS, *PAGING)


def question(query: bytes, *, now: int) -> Question:
    """The question of a query string; Refused (400) names every field that is wrong."""
    found = read(query, PARAMETERS, now=now)
    paging = {name: found.pop(name) for name in ("order", "limit", "cursor") if name in found}
    return Question(Filters(**found), **paging)
