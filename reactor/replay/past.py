"""What the log tells of the objects as it is read: what they were, and what happened next."""

from __future__ import annotations

from typing import Literal

import msgspec

from reactor.audit.query.batches import Recorded
from reactor.audit.row import DIGEST
from reactor.handlers.record import ObservedDetail
from reactor.model import serviceprofile
from reactor.model.decode import parse_object
from reactor.model.meta import Manager
from reactor.model.service import ServiceState
from reactor.model.serviceprofile import FIELD_MANAGER, Override
from reactor.replay.step import Step

Named = tuple[str, str]
Kept = Literal["trafficsplits", "serviceprofiles"]

_observed = msgspec.json.Decoder(ObservedDetail).decode


class _Plan(msgspec.Struct):
    type: str = ""
    name: str = ""


class _Decided(msgspec.Struct):
    services: dict[str, ServiceState]
    plan: _Plan


_decided = msgspec.json.Decoder(_Decided).decode


class Held(msgspec.Struct, frozen=True):
    """An object as the log knew it last, and the row that tells of it."""

    place: str
    at: int
    uid: str
    body: bytes
    service: str | None
    managers: tuple[Manager, ...]

    @property
    def created(self) -> str:
        """When it was created, RFC 3339."""
        return str(parse_object(self.body)["metadata"].get("creationTimestamp") or "")


class Past:
    """Follows the rows of a log in their order."""

    def __init__(self) -> None:
        self._held: dict[tuple[Kept, Named], Held] = {}
        self._states: dict[Named, ServiceState] = {}
        self._profiles: dict[Named, tuple[Override, ...] | None] = {}
        self._made: set[Named] = set()

    @property
    def profiles(self) -> dict[Named, tuple[Override, ...] | None]:
        """Overrides of every profile that was ever told of; None: it is gone."""
        return dict(self._profiles)

    def held(self, kind: Kept) -> dict[Named, Held]:
        """The objects that are there now."""
        return {named: held for (of, named), held in self._held.items() if of == kind}

    @property
    def states(self) -> dict[Named, ServiceState]:
        """The Services that splits named, as they were last."""
        return dict(self._states)

    def suppose(self, named: Named, state: ServiceState) -> None:
        """What a Service is until a row says otherwise."""
        self._states.setdefault(named, state)

    def observed(self, row: Recorded, documents: dict[bytes, bytes]) -> Step | None:
        """Take an `observed` row in; what someone did, None for what the adaptor did itself."""
        detail = _observed(row.detail)
        namespace, name = row.namespace or "", detail.name
        key = (detail.object, (namespace, name))
        before = self._held.get(key)
        gone = detail.type == "deleted" or detail.gone
        body = documents.get(row.documents[:DIGEST])
        if gone:
            self._held.pop(key, None)
        elif body is not None:
            self._held[key] = Held(
                f"{row.run}:{row.seq}", row.at, detail.uid, body, row.service, detail.managers
            )
        if detail.object == "serviceprofiles":
            self._profiles[namespace, name] = None if gone or body is None else _overrides(body)
            if detail.type == "modified" and row.actor == FIELD_MANAGER:
                return None
            made = (namespace, name) in self._made
            self._made.discard((namespace, name))
            # It overtook the answer to its creation, and so was no echo yet.
            if detail.type == "added" and made and row.actor == FIELD_MANAGER:
                return None
        if detail.type == "echo" or (body is None and not gone):
            return None
        again = before is not None and before.uid != detail.uid
        return Step(
            place=f"{row.run}:{row.seq}",
            at=row.at,
            resource=detail.object,
            change="deleted" if gone else "added" if again or before is None else "modified",
            namespace=namespace,
            name=name,
            actor=row.actor or "unknown",
            before=None if before is None or again else before.body,
            after=None if gone else body,
            service=row.service,
            created="" if gone else self._held[key].created,
        )

    def decided(self, row: Recorded) -> list[Step]:
        """Take a `translated` row in; the Services that aren't as they were before."""
        found = []
        plan = _decided(row.detail).plan
        if plan.type == "create":
            self._made.add((row.namespace or "", plan.name))
        for named, state in services_of(row).items():
            if self._states.get(named, state) != state:
                found.append(service_step(f"{row.run}:{row.seq}", row.at, named, state))
            self._states[named] = state
        return found


def services_of(row: Recorded) -> dict[Named, ServiceState]:
    """The Services that a `translated` row depended on."""
    found = _decided(row.detail).services
    return {(row.namespace or "", name): state for name, state in found.items()}


def service_step(place: str, at: int, named: Named, state: ServiceState) -> Step:
    """A Service that comes, goes, or gets or loses its cluster IP."""
    return Step(
        place=place,
        at=at,
        resource="services",
        change="deleted" if state == "missing" else "added",
        namespace=named[0],
        name=named[1],
        actor="unknown",
        state=state,
    )


def _overrides(body: bytes) -> tuple[Override, ...]:
    return serviceprofile.decode(parse_object(body)).overrides or ()
