"""Who changed an object: a field manager, as far as the API server wrote it down."""

from __future__ import annotations

from reactor.model.meta import Meta
from reactor.model.service import Service
from reactor.model.serviceprofile import ServiceProfile
from reactor.model.trafficsplit import TrafficSplit

_Object = TrafficSplit | ServiceProfile | Service


def actor(old: _Object | None, new: _Object) -> str:
    """Return the field manager that made ``new`` of ``old``, else ``unknown``.

    It is a manager whose entry in managedFields is new or newer (the newest of them). Times have
    whole seconds: within one, who writes a value takes its field from all others, so that new
    weights are by the only manager who holds them.
    """
    found = _newest(old.meta if old is not None else None, new.meta)
    if found is None and old is not None and _rewritten(old, new):
        holders = {entry.name for entry in new.meta.managers if entry.weights}
        found = holders.pop() if len(holders) == 1 else None
    return found or "unknown"


def _newest(old: Meta | None, new: Meta) -> str | None:
    before: dict[tuple[str, str], str] = {}
    if old is not None and old.uid == new.uid:
        for entry in old.managers:
            key = (entry.name, entry.operation)
            before[key] = max(before.get(key, ""), entry.time)
    found, latest = None, ""
    for entry in new.managers:
        known = before.get((entry.name, entry.operation))
        if (known is None or entry.time > known) and entry.time >= latest:
            found, latest = entry.name, entry.time
    return found


def _rewritten(old: _Object, new: _Object) -> bool:
    """Whether they say different things of traffic, as far as both can be read."""
    if isinstance(old, TrafficSplit) and isinstance(new, TrafficSplit):
        if old.problem is not None or new.problem is not None:
            return False
        return old.backends != new.backends
    if isinstance(old, ServiceProfile) and isinstance(new, ServiceProfile):
        if not (old.readable and new.readable) or new.overrides is None:
            return False
        return old.overrides != new.overrides
    return False
