"""What we know of one resource: one writer handle, many readers.

Versions decide, not the order in which news come: of one uid the newer resourceVersion wins, a
uid that was deleted stays deleted, and what is absent was absent at the horizon, the version up
to which lists and watches have told everything. So the answer to a write of ours, a lagging
watch event and a list may arrive in any order (KEP-5504: versions of a resource compare).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, ValuesView
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar

import msgspec

from reactor.model.meta import Meta
from reactor.model.trafficsplit import TrafficSplit

_TOMBSTONES = 16384  # deleted uids that are remembered, the oldest forgotten first


class HasMeta(Protocol):
    """Anything that Kubernetes keeps."""

    @property
    def meta(self) -> Meta:
        """Identity and version."""
        ...


T = TypeVar("T", bound=HasMeta)
Name = tuple[str, str]  # namespace, name


class Change(NamedTuple, Generic[T]):
    """One object came, changed or went. ``old`` is None when added, ``new`` when deleted."""

    kind: Literal["added", "modified", "deleted"]
    old: T | None
    new: T | None


class Store(Generic[T]):
    """Objects by (namespace, name), and by whatever ``index`` makes of them (None: nowhere).

    ``carry(old, new)`` returns what is kept when ``new`` replaces an ``old`` of the same uid.
    """

    def __init__(
        self,
        *,
        index: Callable[[T], Hashable | None] = lambda obj: None,
        carry: Callable[[T, T], T] = lambda old, new: new,
        tombstones: int = _TOMBSTONES,
    ) -> None:
        self._index = index
        self._carry = carry
        self._objects: dict[Name, T] = {}
        self._indexed: dict[Hashable, tuple[Name, ...]] = {}
        self._tombstones: dict[str, None] = {}
        self._limit = tombstones
        self._newest = 0
        self._horizon = 0

    def __len__(self) -> int:
        return len(self._objects)

    @property
    def newest(self) -> int:
        """The highest version that this store has ever held or heard of."""
        return max(self._newest, self._horizon)

    def advance(self, version: int) -> None:
        """The watch has told everything up to this version."""
        self._horizon = max(self._horizon, version)

    def get(self, namespace: str, name: str) -> T | None:
        """The object of that name."""
        return self._objects.get((namespace, name))

    def values(self) -> ValuesView[T]:
        """All objects; a live view."""
        return self._objects.values()

    def indexed(self, key: Hashable) -> list[T]:
        """The objects for which ``index`` gave this key; a copy."""
        return [self._objects[name] for name in self._indexed.get(key, ())]

    def seed(self, objects: Iterable[T]) -> None:
        """What an earlier run knew, before the first list; publishes nothing."""
        for obj in objects:
            self._set(obj)

    def holds(self, namespace: str, name: str, uid: str, resource_version: str) -> bool:
        """Whether exactly this version is here."""
        held = self._objects.get((namespace, name))
        return (
            held is not None
            and held.meta.resource_version == resource_version
            and held.meta.uid == uid
        )

    def put(self, obj: T) -> tuple[Change[T], ...]:
        """Takes an object in; empty when the store knew it, or newer, or its end."""
        meta = obj.meta
        if meta.uid in self._tombstones:
            return ()
        held = self._objects.get((meta.namespace, meta.name))
        if held is None:
            if 0 < meta.version <= self._horizon:
                return ()  # a late answer: the object came and went before we heard of it
            self._set(obj)
            return (Change("added", None, obj),)
        return self._succeed(held, obj) if _newer(meta, held.meta) else ()

    def remove(
        self, namespace: str, name: str, uid: str, *, last: T | None = None
    ) -> tuple[Change[T], ...]:
        """The object of this uid is gone; ``last`` is its final state, if known.

        Empty when the store knew that. An object of this name that came later stays.
        """
        known = uid in self._tombstones
        self._bury(uid)
        held = self._objects.get((namespace, name))
        if held is None:
            known = known or last is None or 0 < last.meta.version <= self._horizon
            return () if known else (Change("deleted", last, None),)
        if held.meta.uid == uid:
            self._drop(held)
            return (Change("deleted", self._carry(held, last) if last else held, None),)
        if last is None or not _newer(last.meta, held.meta):
            return ()
        self._drop(held)  # its end, and this successor's whole life, passed us by
        return (Change("deleted", held, None),)

    def replace(
        self, objects: Iterable[T], *, version: int, floor: int, keep: Collection[Name] = ()
    ) -> list[Change[T]]:
        """Swaps in a whole list of this version, and returns what differs.

        ``floor`` is what `newest` was before the list was asked for. What the store took in
        since stays when it is newer than the list. A list below the floor means that the
        server's history was rewound (a restored etcd): then the list is all there is.
        ``keep`` names objects that are on the server too, but unchanged or unreadable.
        """
        rewound = version < floor
        if rewound:
            self._tombstones.clear()
            self._newest = self._horizon = 0
        changes: list[Change[T]] = []
        seen = set(keep)
        for obj in objects:
            meta = obj.meta
            name = (meta.namespace, meta.name)
            seen.add(name)
            held = self._objects.get(name)
            if held is None:
                # Above the old horizon, or unreadable when it was below it.
                if meta.uid not in self._tombstones:
                    self._set(obj)
                    changes.append(Change("added", None, obj))
            elif _same(held.meta, meta):
                # A seed may lack what only the server tells, such as managers.
                self._set(self._carry(held, obj))
            elif rewound or held.meta.version <= version or _newer(meta, held.meta):
                changes += self._succeed(held, obj)
        for name in self._objects.keys() - seen:
            held = self._objects[name]
            if rewound or held.meta.version <= version:
                self._drop(held)
                changes.append(Change("deleted", held, None))
        self.advance(version)
        return changes

    def _succeed(self, held: T, obj: T) -> tuple[Change[T], ...]:
        if held.meta.uid != obj.meta.uid:
            # Deleted and made again, and this is the first that we hear of either.
            self._drop(held)
            self._set(obj)
            return (Change("deleted", held, None), Change("added", None, obj))
        kept = self._carry(held, obj)
        self._set(kept)
        return (Change("modified", held, kept),)

    def _set(self, obj: T) -> None:
        meta = obj.meta
        name = (meta.namespace, meta.name)
        held = self._objects.get(name)
        before = self._index(held) if held is not None else None
        found = self._index(obj)
        self._objects[name] = obj
        if found != before:
            self._unindex(before, name)
            if found is not None:
                self._indexed[found] = (*self._indexed.get(found, ()), name)
        self._newest = max(self._newest, meta.version)

    def _drop(self, held: T) -> None:
        name = (held.meta.namespace, held.meta.name)
        del self._objects[name]
        self._unindex(self._index(held), name)
        self._bury(held.meta.uid)

    def _unindex(self, found: Hashable | None, name: Name) -> None:
        if found is not None:
            left = tuple(other for other in self._indexed[found] if other != name)
            if left:
                self._indexed[found] = left
            else:
                del self._indexed[found]

    def _bury(self, uid: str) -> None:
        self._tombstones[uid] = None
        if len(self._tombstones) > self._limit:
            del self._tombstones[next(iter(self._tombstones))]


class SplitStore(Store[TrafficSplit]):
    """TrafficSplits, also by the apex Service that they name."""

    def __init__(self) -> None:
        super().__init__(index=_apex, carry=_carry_service)

    def by_service(self, namespace: str, service: str) -> list[TrafficSplit]:
        """The splits of one apex Service, in no order."""
        return self.indexed((namespace, service))


def _apex(split: TrafficSplit) -> Hashable | None:
    return None if split.service is None else (split.meta.namespace, split.service)


def _carry_service(old: TrafficSplit, new: TrafficSplit) -> TrafficSplit:
    # A split whose service can't be read keeps its last known one, so that it stays in charge.
    if new.service is None and old.service is not None and old.meta.uid == new.meta.uid:
        return msgspec.structs.replace(new, service=old.service)
    return new


def _same(left: Meta, right: Meta) -> bool:
    return left.uid == right.uid and left.resource_version == right.resource_version


def _newer(new: Meta, held: Meta) -> bool:
    if new.version and held.version:
        return new.version > held.version
    return not _same(new, held)  # versions that can't be compared: believe what came last
