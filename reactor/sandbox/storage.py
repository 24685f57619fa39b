"""Versioned storage: one counter for all writes, and each resource's recent history.

An object is kept as its encoded bytes without apiVersion and kind, so that any served version of it
is two concatenated slices; nothing is encoded twice for a list or a watch.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from reactor.sandbox.documents import Document, decode, dig, encode

Key = tuple[str, str]


class Stored(msgspec.Struct, frozen=True, gc=False):
    """One version of one object. `body` is its JSON from `"metadata"` to the last brace."""

    namespace: str
    name: str
    uid: str
    version: int
    body: bytes
    labels: dict[str, str] | None = None
    fields: dict[str, str] | None = None
    owners: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The object's place in list order."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def document(self, api_version: str, kind: str) -> Document:
        """The whole object, decoded afresh."""
        found: Document = decode(self.encoded(api_version, kind))
        return found

    def encoded(self, api_version: str, kind: str) -> bytes:
        """The whole object as JSON."""
        return b'{"apiVersion":"%s","kind":"%s",%s' % (
            api_version.encode(),
            kind.encode(),
            self.body,
        )


class Change(msgspec.Struct, gc=False):
    """One write: `old` is None for a create; `gone` tells a deletion, `new` then being the last
    state, with the version of the deletion."""

    version: int
    old: Stored | None
    new: Stored
    gone: bool
    lines: dict[tuple[str, str], bytes] = msgspec.field(default_factory=dict)

    def line(self, api_version: str, kind: str, told: str) -> bytes:
        """The watch line that tells `told` (ADDED, MODIFIED, DELETED), encoded once."""
        line = self.lines.get((api_version, told))
        if line is None:
            line = b'{"type":"%s","object":%s}\n' % (
                told.encode(),
                self.new.encoded(api_version, kind),
            )
            self.lines[(api_version, told)] = line
        return line


Listener = Callable[[Change], None]


class Table:
    """All objects of one resource, in list order, with the changes that led here."""

    def __init__(self, *, history: int) -> None:
        self.objects: dict[str, Stored] = {}
        self.order: list[str] = []
        self.changes: deque[Change] = deque(maxlen=history)
        self.listeners: list[Listener] = []
        # Changes up to this version are forgotten.
        self.forgotten = 0

    def since(self, version: int) -> list[Change] | None:
        """Changes after `version`, oldest first; None when they are not all known any more."""
        if version < self.forgotten:
            return None
        found: list[Change] = []
        for change in reversed(self.changes):
            if change.version <= version:
                break
            found.append(change)
        found.reverse()
        return found

    def within(self, namespace: str) -> Iterator[Stored]:
        """Objects of a namespace, or all, in list order."""
        for path in self.paths(namespace):
            yield self.objects[path]

    def paths(self, namespace: str) -> list[str]:
        if not namespace:
            return self.order
        start = bisect_left(self.order, namespace + "/")
        return self.order[start : bisect_left(self.order, namespace + "0")]

    def at(self, version: int) -> dict[str, Stored] | None:
        """The whole state at an earlier version; None when history doesn't reach back."""
        changes = self.since(version)
        if changes is None:
            return None
        if not changes:
            return self.objects
        state = dict(self.objects)
        for change in reversed(changes):
            if change.old is None:
                state.pop(change.new.path, None)
            else:
                state[change.old.path] = change.old
        return state

    def apply(self, change: Change) -> None:
        if self.changes.maxlen == len(self.changes) and self.changes:
            self.forgotten = self.changes[0].version
        self.changes.append(change)
        path = change.new.path
        if change.gone:
            del self.objects[path]
            del self.order[bisect_left(self.order, path)]
        else:
            if change.old is None:
                insort(self.order, path)
            self.objects[path] = change.new
        for listener in tuple(self.listeners):
            listener(change)
        # Every open watch has its line; kept on, they would double the history.
        change.lines.clear()


class Store:
    """Tables by (group, plural) under one version counter."""

    def __init__(self, *, history: int = 20_000) -> None:
        self._tables: dict[Key, Table] = {}
        self._history = history
        self.version = 1
        self.compacted = 0
        # uid of an owner -> places of what it owns.
        self.owned: dict[str, set[tuple[Key, str]]] = {}

    def table(self, key: Key) -> Table:
        table = self._tables.get(key)
        if table is None:
            table = self._tables[key] = Table(history=self._history)
            table.forgotten = self.compacted
        return table

    def forget(self, key: Key) -> None:
        """Forget the history of one table, as a server does that starts to serve it anew."""
        table = self.table(key)
        table.forgotten = self.version
        table.changes.clear()

    def compact(self) -> None:
        """Forget all history: watches and lists from an older version end with 410."""
        self.compacted = self.version
        for key in self._tables:
            self.forget(key)

    def write(self, key: Key, document: Document, selectable: tuple[str, ...] = ()) -> Stored:
        """Store a document under the next version, and tell the listeners."""
        self.version += 1
        metadata = document["metadata"]
        metadata["resourceVersion"] = str(self.version)
        stored = stored_form(document, self.version, selectable)
        table = self.table(key)
        old = table.objects.get(stored.path)
        self._own(key, old, stored)
        table.apply(Change(self.version, old, stored, False))
        return stored

    def remove(self, key: Key, stored: Stored) -> Stored:
        """Delete an object; the result carries the version of the deletion."""
        self.version += 1
        last = msgspec.structs.replace(
            stored, version=self.version, body=_reversioned(stored, self.version)
        )
        self._own(key, stored, None)
        self.table(key).apply(Change(self.version, stored, last, True))
        return last

    def _own(self, key: Key, old: Stored | None, new: Stored | None) -> None:
        for uid in old.owners if old else ():
            places = self.owned.get(uid)
            if places is not None and old is not None:
                places.discard((key, old.path))
                if not places:
                    del self.owned[uid]
        for uid in new.owners if new else ():
            if new is not None:
                self.owned.setdefault(uid, set()).add((key, new.path))


def _reversioned(stored: Stored, version: int) -> bytes:
    before = f'"resourceVersion":"{stored.version}"'.encode()
    if stored.body.count(before) == 1:
        return stored.body.replace(before, f'"resourceVersion":"{version}"'.encode())
    document = decode(b"{" + stored.body)
    document["metadata"]["resourceVersion"] = str(version)
    return encode(document)[1:]


def stored_form(document: Document, version: int, selectable: tuple[str, ...]) -> Stored:
    metadata = document["metadata"]
    rest = {k: v for k, v in document.items() if k not in ("apiVersion", "kind")}
    owners = metadata.get("ownerReferences") or ()
    return Stored(
        namespace=metadata.get("namespace", ""),
        name=metadata["name"],
        uid=metadata["uid"],
        version=version,
        body=encode(rest)[1:],
        labels=metadata.get("labels") or None,
        fields={path: _text(dig(document, *path.split("."))) for path in selectable} or None,
        owners=tuple(owner.get("uid", "") for owner in owners),
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else encode(value).decode()
