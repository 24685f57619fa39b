"""One thing that happened to the cluster, to be done again."""

from __future__ import annotations

from typing import Literal

import msgspec

from reactor.model.service import ServiceState

Resource = Literal["trafficsplits", "serviceprofiles", "services"]
Change = Literal["added", "modified", "deleted"]


class Step(msgspec.Struct, frozen=True):
    """``place`` is run:seq of the row that tells of it, ``at`` its time in microseconds UTC.

    ``before`` and ``after`` are documents, None where there was no object, or none is left. A
    Service has none: ``state`` is what it becomes. ``service`` is a split's apex Service, and
    ``created`` when the object was created then.
    """

    place: str
    at: int
    resource: Resource
    change: Change
    namespace: str
    name: str
    actor: str
    before: bytes | None = None
    after: bytes | None = None
    state: ServiceState | None = None
    service: str | None = None
    created: str = ""

    def __str__(self) -> str:
        kind = {"trafficsplits": "trafficsplit", "serviceprofiles": "serviceprofile"}
        what = f"{kind.get(self.resource, 'service')} {self.namespace}/{self.name}"
        if self.state is not None:
            return f"{what} {self.state}"
        return f"{what} {self.change} by {self.actor}{_weights(self)}"


def _weights(step: Step) -> str:
    """The backends of a split, as they were written."""
    if step.resource != "trafficsplits" or step.after is None:
        return ""
    try:
        backends = _split(step.after).spec.backends
    except msgspec.MsgspecError:
        return ""
    told = [f"{one.service}={bytes(one.weight).decode()}" for one in backends]
    return f": {' '.join(told) or 'no backends'}"


class _Backend(msgspec.Struct):
    service: str
    weight: msgspec.Raw


class _Spec(msgspec.Struct):
    backends: list[_Backend]


class _Split(msgspec.Struct):
    spec: _Spec


_split = msgspec.json.Decoder(_Split).decode
