"""An entry as a row of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from reactor.admin.wire import Entry, Place
from reactor.cli.audit import output
from reactor.units import counted

HEADER = ("TIME", "KIND", "ABOUT", "ACTOR", "WHAT", "ENTRY")
WIDE = ("TIME", "KIND", "SPLIT", "SERVICE", "OUTCOME", "ACTOR", "WHAT", "RECONCILE", "ENTRY")
_SHORT = 13
"""Characters of a run's id that tell its millisecond."""


def name(entry: Entry | Place) -> str:
    """What `audit show` takes."""
    return f"{entry.run}:{entry.seq}"


def row(entry: Entry, *, wide: bool, lasting: bool = False) -> list[str | None]:
    """The cells under `HEADER`, or under `WIDE`; ``lasting``: no time that grows old."""
    when = output.when(entry.at, wide=wide, lasting=lasting)
    split, service = _within(entry.namespace, entry.split), _within(entry.namespace, entry.service)
    if wide:
        cells = [when, entry.kind, split, service, entry.outcome, entry.actor, what(entry)]
        return [*cells, entry.reconcile, name(entry)]
    said = _joined(entry.outcome, what(entry))
    short = f"{entry.run[:_SHORT]}:{entry.seq}"
    return [when, entry.kind, split or service, entry.actor, said, short]


def show(entries: Sequence[Entry], form: str) -> None:
    """A table, `wide` or not."""
    wide = form == "wide"
    output.columns(WIDE if wide else HEADER, [row(entry, wide=wide) for entry in entries])


def what(entry: Entry) -> str:
    """An entry's detail in a few words."""
    detail = msgspec.json.decode(entry.detail)
    if not isinstance(detail, dict):
        return ""
    match entry.kind:
        case "observed":
            noun = "profile" if detail.get("object") == "serviceprofiles" else "split"
            problem = detail.get("problem") or {}
            return _joined(f"{noun} {detail.get('type', '')}", problem.get("message"))
        case "translated":
            return _joined(_plan(detail), ", ".join(_findings(detail)))
        case "gap":
            return _joined(f"{counted(detail.get('rows', 0), 'row')} lost", detail.get("reason"))
        case "purged":
            return f"{counted(detail.get('rows', 0), 'row')} removed"
        case "started":
            return f"version {detail.get('version', '?')}"
    return str(detail.get("message") or "")


def _plan(detail: dict[str, Any]) -> str:
    plan = detail.get("plan")
    kind = plan.get("type", "") if isinstance(plan, dict) else str(plan or "")
    if kind not in ("create", "patch") or not isinstance(plan, dict):
        return kind
    # What is desired isn't told twice.
    overrides = plan.get("overrides", (detail.get("desired") or {}).get("overrides"))
    if not overrides:
        return kind
    weights = " ".join(f"{_leaf(one.get('authority'))}={one.get('weight')}" for one in overrides)
    return f"{kind} {weights}"


def _leaf(authority: object) -> str:
    return str(authority).partition(".")[0]


def _findings(detail: dict[str, Any]) -> list[str]:
    desired = detail.get("desired") or {}
    return [str(finding.get("reason")) for finding in desired.get("findings") or ()]


def _joined(*parts: str | None) -> str:
    return ": ".join(part for part in parts if part)


def _within(namespace: str | None, thing: str | None) -> str | None:
    return None if thing is None else f"{namespace}/{thing}" if namespace else thing
