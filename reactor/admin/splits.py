"""GET /api/v1/splits: every split as it stands now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, get_args

import msgspec

from reactor.admin import filters, moment, question, wire
from reactor.admin.question import Parameter, word
from reactor.admin.route import Route
from reactor.handlers.overview import Ending, SplitState
from reactor.translate.state import State

_MOST = 500
_DEFAULT = 100
_AFTER_SCHEMA = {"type": "string", "pattern": r"^[!-.0-~]{1,253}/[!-.0-~]{1,253}$"}
_AFTER = Parameter(
    "cursor",
    "Where to go on: `next` of the page before.",
    "the value of `next` in an earlier answer",
    _AFTER_SCHEMA,
    word(_AFTER_SCHEMA),
)
_STATE = filters.one_of("state", "How it stands.", get_args(State))
PARAMETERS = (
    filters.NAMESPACE,
    _STATE,
    filters.limit(_MOST, _DEFAULT, "How many splits at most; a page may hold fewer."),
    _AFTER,
)


class Splits(Protocol):
    """Knows the splits as they are now."""

    def page(
        self, *, namespace: str | None, wanted: State | None, after: tuple[str, str], limit: int
    ) -> tuple[list[SplitState], tuple[str, str] | None]:
        """Return the next ones by namespace and name, and where to go on."""
        ...


def routes(splits: Splits) -> tuple[Route, ...]:
    """The path."""

    async def many(places: Mapping[str, Any], query: bytes, now: int) -> bytes:
        found, rest = asked(splits, question.read(query, PARAMETERS, now=now))
        return msgspec.json.encode(
            wire.Splits([_split(one) for one in found], None if rest is None else "/".join(rest))
        )

    return (
        Route(
            "/api/v1/splits",
            "Every split as it stands now, by namespace and name.",
            wire.Splits,
            many,
            parameters=PARAMETERS,
            own=True,
        ),
    )


def asked(
    splits: Splits, given: Mapping[str, Any]
) -> tuple[list[SplitState], tuple[str, str] | None]:
    """The page that these parameters ask for, and where to go on."""
    namespace, _, name = given.get("cursor", "/").partition("/")
    return splits.page(
        namespace=given.get("namespace"),
        wanted=given.get("state"),
        after=(namespace, name),
        limit=given.get("limit", _DEFAULT),
    )


def _split(found: SplitState) -> wire.Split:
    return wire.Split(
        namespace=found.namespace,
        name=found.name,
        service=found.service,
        state=found.state,
        reason=found.reason,
        since=None if found.since is None else moment.text(found.since),
        winner=found.winner,
        leaves=list(found.leaves),
        findings=list(found.findings),
        last=None if found.last is None else _ending(found.last),
    )


def _ending(last: Ending) -> wire.Ending:
    return wire.Ending(
        last.outcome, last.reconcile, moment.text(last.at), last.seconds, last.message
    )
