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


def one_of(name: str, meaning: str, values: tuple[str, ...], **schema: Any) -> Parameter:
    """One of these words."""
    return _word(name, meaning, "one of " + ", ".join(values), enum=list(values), **schema)


def time(name: str, meaning: str, *, required: bool = False) -> Parameter:
    """A moment: absolute, or relative to now."""
    schema = {
        "anyOf": [
            {"type": "string", "format": "date-time"},
            {"type": "string", "pattern": moment.RELATIVE},
        ]
    }
    return Parameter(
        name,
        meaning,
        moment.ALLOWED,
        schema,
        lambda text, now: moment.parse(text, now=now),
        required,
    )


def _words(text: str, now: int) -> str:
    if len(text) > 200:
        raise ValueError("is longer than 200 characters")
    Wanted.parse(text)
    return text


NAMESPACE = _name("namespace", "Namespace.")
SPLIT = _name("split", "Name of a TrafficSplit.")
SERVICE = _name("service", "Name of an apex Service.")
RUN = _word(
    "run", "One start of the program.", "the id of a run, a UUID", pattern=r"^[0-9a-f-]{36}$"
)

FILTERS = (
    one_of("kind", "What happened.", KINDS),
    NAMESPACE,
    SPLIT,
    SERVICE,
    one_of("outcome", "How a reconciliation ended.", OUTCOMES),
    _word(
        "finding",
        "A finding of the decision, such as ShadowedBy.",
        "letters, up to 64",
        pattern=r"^[A-Za-z]{1,64}$",
    ),
    _word(
        "actor",
        "The field manager who made the change.",
        "1 to 128 printable characters",
        # Kubernetes takes any; those that nobody sees can't be meant.
        pattern=r"^[^\u0000-\u001f\u007f-\u00a0]{1,128}$",
    ),
    _name("reconcile", "Everything about one reconciliation."),
    RUN,
    Parameter(
        "text",
        "Words that all occur in the messages, in any case.",
        'words, or "phrases in quotes", up to 200 characters',
        {"type": "string", "pattern": r"[A-Za-z0-9]", "maxLength": 200},
        _words,
    ),
    time("since", "At this time or later."),
    time("until", "Before this time."),
)
CURSOR = _word(
    "cursor",
    "Where to go on: `next` or `previous` of a page.",
    "the value of `next` or `previous` in an earlier answer",
    pattern=f"^{PATTERN}$",
)


def limit(most: int, default: int, meaning: str) -> Parameter:
    """How much at most."""
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    allowed = f"a whole number from 1 to {most}"
    return Parameter("limit", meaning, allowed, schema, number(schema))


PAGING = (
    one_of("order", "Which entry comes first.", ORDERS, default="newest"),
    limit(
        LONGEST_PAGE,
        DEFAULT_LIMIT,
        "How many entries at most; a page of large entries may hold fewer.",
    ),
    CURSOR,
)
PARAMETERS = (*FILTERS, *PAGING)


def question(query: bytes, *, now: int) -> Question:
    """The question of a query string; Refused (400) names every field that is wrong."""
    found = read(query, PARAMETERS, now=now)
    paging = {name: found.pop(name) for name in ("order", "limit", "cursor") if name in found}
    return Question(Filters(**found), **paging)
