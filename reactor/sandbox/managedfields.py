"""Who owns which field: managedFields of operation Update, as the API server keeps them."""

from __future__ import annotations

from typing import Any

import msgspec

from reactor.sandbox.documents import Document
from reactor.sandbox.fieldset import Path, Paths, compare, from_fields, to_fields
from reactor.sandbox.shape import Shape

_MOST_UPDATERS = 10
_LONGEST_NAME = 128
_STRIPPED: frozenset[Path] = frozenset(
    [("f:apiVersion",), ("f:kind",), ("f:metadata",), ()]
    + [
        ("f:metadata", "f:" + key)
        for key in (
            "name",
            "namespace",
            "creationTimestamp",
            "selfLink",
            "uid",
            "clusterName",
            "generation",
            "managedFields",
            "resourceVersion",
        )
    ]
)


class Manager(msgspec.Struct, frozen=True):
    """The identity of one entry. For Apply the API version is no part of it."""

    name: str
    operation: str
    version: str
    subresource: str = ""


class _Entry(msgspec.Struct):
    fields: Paths
    version: str
    time: str


def manager_name(asked: str, user_agent: str) -> str:
    """?fieldManager=, else the User-Agent's part before the first slash."""
    if asked:
        return asked
    name = "".join(char for char in user_agent.split("/")[0] if char.isprintable())
    return name[:_LONGEST_NAME] or "unknown"


def update(
    live: Document,
    new: Document,
    *,
    manager: Manager,
    shape: Shape,
    now: str,
    ignored: frozenset[str] = frozenset(),
) -> None:
    """Set `new`'s managedFields for a change from `live` to `new`.

    `live` is the kind's empty object at a create. `ignored` names top-level fields that this
    endpoint resets, so that nobody comes to own them.
    """
    before = live.get("metadata", {})
    asked = new["metadata"].pop("managedFields", None)
    creating = not before.get("uid")
    # Clients that know nothing of managedFields must not delete them; [] or [{}] is a reset.
    reset = asked is not None and (asked == [] or asked == [{}])
    entries = {} if reset else _read(asked) or _read(before.get("managedFields"))
    if not entries and not creating:
        return
    change = compare(_bare(live), _bare(new), shape)
    added, modified, removed = (
        _kept(paths, ignored) for paths in (change.added, change.modified, change.removed)
    )
    touched = added | modified
    for entry in entries.values():
        entry.fields = entry.fields - touched - removed
    own = frozenset(path for path in touched if path not in _STRIPPED)
    if own:
        held = entries.get(manager)
        entries[manager] = _Entry(own | held.fields if held else own, manager.version, now)
    for name in [name for name, entry in entries.items() if not entry.fields]:
        del entries[name]
    _cap(entries)
    if entries:
        new["metadata"]["managedFields"] = _write(entries)


def same_but_times(one: list[Document] | None, two: list[Document] | None) -> bool:
    """Whether two managedFields differ at most in their times."""

    def timeless(entries: list[Document] | None) -> list[Document]:
        return [{k: v for k, v in entry.items() if k != "time"} for entry in entries or []]

    return timeless(one) == timeless(two)


def _bare(document: Document) -> Document:
    metadata = {
        key: value
        for key, value in document.get("metadata", {}).items()
        if key not in ("managedFields", "resourceVersion", "uid", "generation")
    }
    return {**document, "metadata": metadata}


def _kept(paths: Paths, ignored: frozenset[str]) -> Paths:
    if not ignored:
        return paths
    return frozenset(path for path in paths if not path or path[0] not in ignored)


def _read(entries: Any) -> dict[Manager, _Entry]:
    found: dict[Manager, _Entry] = {}
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or entry.get("operation") not in ("Update", "Apply"):
            return {}
        version = entry.get("apiVersion", "")
        manager = Manager(
            entry.get("manager", ""),
            entry["operation"],
            version if entry["operation"] == "Update" else "",
            entry.get("subresource", ""),
        )
        found[manager] = _Entry(
            from_fields(entry.get("fieldsV1") or {}), version, entry.get("time", "")
        )
    return found


def _write(entries: dict[Manager, _Entry]) -> list[Document]:
    def order(item: tuple[Manager, _Entry]) -> tuple[str, ...]:
        manager, entry = item
        return (manager.operation, entry.time, manager.name, entry.version, manager.subresource)

    written: list[Document] = []
    for manager, entry in sorted(entries.items(), key=order):
        line: Document = {
            "manager": manager.name,
            "operation": manager.operation,
            "apiVersion": entry.version,
            "time": entry.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": to_fields(entry.fields),
        }
        if manager.subresource:
            line["subresource"] = manager.subresource
        if not entry.time:
            del line["time"]
        written.append(line)
    return written


def _cap(entries: dict[Manager, _Entry]) -> None:
    """Fold the oldest updaters into `ancient-changes`, as the real server does beyond ten."""
    updaters = [manager for manager in entries if manager.operation == "Update"]
    excess = len(updaters) - _MOST_UPDATERS
    if excess <= 0:
        return
    updaters.sort(key=lambda manager: (entries[manager].time, manager.name))
    first: dict[str, Manager] = {}
    for manager in updaters:
        if excess <= 0:
            return
        entry = entries[manager]
        bucket = Manager("ancient-changes", "Update", entry.version)
        if entry.version not in first:
            first[entry.version] = manager
            continue
        if bucket not in entries:
            entries[bucket] = entries.pop(first[entry.version])
        held = entries[bucket]
        del entries[manager]
        entries[bucket] = _Entry(held.fields | entry.fields, entry.version, entry.time)
        excess -= 1
