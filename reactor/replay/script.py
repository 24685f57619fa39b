"""The part of a log that is re-enacted: where it begins, what happens, how it ended."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from reactor.audit.query.batches import Batch, Recorded
from reactor.audit.query.filters import Filters
from reactor.audit.query.pages import Span
from reactor.model.service import ServiceState
from reactor.model.serviceprofile import FIELD_MANAGER, Override
from reactor.replay import scope
from reactor.replay.bodies import without_overrides
from reactor.replay.past import Held, Named, Past, service_step, services_of
from reactor.replay.source import Source
from reactor.replay.step import Step


class Script:
    """Reads a log twice: for the scene at its beginning, then step by step.

    A split or a service in ``filters`` brings all that shares a service with it; `run`, `since`
    and `until` say from when to when.
    """

    def __init__(self, source: Source, filters: Filters) -> None:
        self._source = source
        self._filters = filters
        self._everything = Filters(namespace=filters.namespace)
        self._span = source.span(self._everything)
        self._scope = scope.of(source, filters, self._span)
        self._past = Past()
        self._begins, self._ends, first = self._look()
        self._run = next((one for one in source.runs() if one.id == first), None)

    @property
    def domain(self) -> str:
        """The cluster domain of the run that is re-enacted first."""
        return "" if self._run is None else self._run.cluster_domain

    @property
    def settings(self) -> dict[str, str]:
        """The settings of that run, by flag."""
        if self._run is None:
            return {}
        return msgspec.json.decode(self._run.settings, type=dict[str, str])

    @property
    def profiles(self) -> dict[Named, tuple[Override, ...] | None]:
        """Overrides by namespace and name of a profile, as recorded up to the last step taken."""
        return self._past.profiles

    def __bool__(self) -> bool:
        return self._run is not None

    def scene(self) -> Iterator[Step]:
        """What was there when it begins: Services, profiles that others made, splits by age."""
        for named, state in sorted(self._opening.items()):
            if state != "missing":
                yield service_step("before", self._begins_at, named, state)
        splits = self._past.held("trafficsplits")
        split = {(namespace, held.service) for (namespace, _), held in splits.items()}
        for named, held in self._past.held("serviceprofiles").items():
            step = self._inherited(named, held, split)
            if step is not None:
                yield step
        for named, held in sorted(splits.items(), key=lambda item: (item[1].created, item[0])):
            yield _standing("trafficsplits", named, held, "unknown", held.body)

    def steps(self) -> Iterator[Step]:
        """What happened, in order; splits that were listed at once by age."""
        listed: list[Step] = []
        for step in self._events():
            if step.resource == "trafficsplits" and step.change == "added":
                listed.append(step)
                continue
            yield from _by_age(listed)
            listed = []
            yield step
        yield from _by_age(listed)

    def _events(self) -> Iterator[Step]:
        span = self._span.part(self._begins, self._ends)
        for batch, row in self._rows(span):
            if row.kind == "observed":
                step = self._past.observed(row, batch.documents)
                if step is not None:
                    yield step
            else:
                yield from self._past.decided(row)

    def _look(self) -> tuple[int, int, str | None]:
        """Follow the log up to the first row in question; find the last, and the Services."""
        self._opening: dict[Named, ServiceState] = {}
        self._begins_at = 0
        begins, ends, first = self._span.high + 1, self._span.high, None
        for batch, row in self._rows(self._span):
            inside = self._inside(row)
            if first is None and not inside:
                if row.kind == "observed":
                    self._past.observed(row, batch.documents)
                else:
                    self._past.decided(row)
                continue
            if first is None:
                begins, first, self._begins_at = row.position, row.run, row.at
                self._opening = self._past.states
            elif not inside and self._over(row):
                ends = row.position - 1
                break
            if row.kind == "translated":
                for named, state in services_of(row).items():
                    self._opening.setdefault(named, state)
        for named, state in self._opening.items():
            self._past.suppose(named, state)
        return begins, ends, first

    def _inside(self, row: Recorded) -> bool:
        filters = self._filters
        return (
            (filters.run is None or row.run == filters.run)
            and (filters.since is None or row.at >= filters.since)
            and (filters.until is None or row.at < filters.until)
        )

    def _over(self, row: Recorded) -> bool:
        filters = self._filters
        past_run = filters.run is not None and row.run != filters.run
        return past_run or (filters.until is not None and row.at >= filters.until)

    def _rows(self, span: Span) -> Iterator[tuple[Batch, Recorded]]:
        for batch in self._source.batches(self._everything, span):
            for row in batch.rows:
                if row.kind in ("observed", "translated") and self._concerns(row):
                    yield batch, row

    def _concerns(self, row: Recorded) -> bool:
        return self._scope is None or self._scope.holds(row)

    def _inherited(
        self, named: Named, held: Held, split: set[tuple[str, str | None]]
    ) -> Step | None:
        """A profile that was there, without what the adaptor writes into it anew."""
        others = [one.name for one in held.managers if one.name != FIELD_MANAGER]
        body = held.body
        if (named[0], held.service) in split:
            if not others:
                return None
            if any(one.weights and one.name == FIELD_MANAGER for one in held.managers):
                body = without_overrides(body)
        return _standing(
            "serviceprofiles", named, held, others[0] if others else FIELD_MANAGER, body
        )


def _standing(kind: str, named: Named, held: Held, actor: str, body: bytes) -> Step:
    return Step(
        place=held.place,
        at=held.at,
        resource="trafficsplits" if kind == "trafficsplits" else "serviceprofiles",
        change="added",
        namespace=named[0],
        name=named[1],
        actor=actor,
        after=body,
        service=held.service,
        created=held.created,
    )


def _by_age(steps: list[Step]) -> Iterator[Step]:
    """In the order in which they were created, at the times at which they were told of."""
    ordered = sorted(steps, key=lambda step: (step.created, step.name))
    for step, when in zip(ordered, steps, strict=True):
        yield msgspec.structs.replace(step, at=when.at)
