"""An entry in one line."""

from __future__ import annotations

from typing import Any

import msgspec

from reactor.audit.row import Row


class _Finding(msgspec.Struct):
    reason: str = ""
    message: str = ""


class _Desired(msgspec.Struct):
    winner: str | None = None
    findings: tuple[_Finding, ...] = ()


class _Detail(msgspec.Struct):
    """What is said here of any kind's detail."""

    object: str = ""
    name: str = ""
    type: str = ""
    gone: bool = False
    problem: _Finding | None = None
    desired: _Desired | None = None
    plan: Any = None
    attempt: int = 1
    status: int = 0
    durations: dict[str, float] = {}
    message: str = ""
    rows: int = 0
    reason: str = ""


_decode = msgspec.json.Decoder(_Detail).decode
_OBJECTS = {"trafficsplits": "split", "serviceprofiles": "profile"}


def gist(row: Row) -> str:
    """What happened; empty where the kind says it all."""
    try:
        detail = _decode(row.detail)
    except msgspec.MsgspecError:
        return ""
    match row.kind:
        case "observed":
            return "; ".join(filter(None, (_observed(detail), _said(detail.problem))))
        case "translated":
            return _translated(detail)
        case "synced":
            return _synced(detail)
        case "gap" | "purged":
            return " ".join(filter(None, (f"{detail.rows} rows", detail.reason)))
    return detail.reason or detail.message


def _observed(detail: _Detail) -> str:
    what = f"{_OBJECTS.get(detail.object, detail.object)} {detail.name}"
    if detail.type == "echo":
        return f"{what}: our own {'removal' if detail.gone else 'write'} came back"
    return f"{what} {detail.type}"


def _translated(detail: _Detail) -> str:
    desired = detail.desired or _Desired()
    parts = [f"decided by {desired.winner}" if desired.winner else "", _plan(detail.plan)]
    return "; ".join(filter(None, (*parts, *map(_said, desired.findings))))


def _synced(detail: _Detail) -> str:
    parts = [f"attempt {detail.attempt}" if detail.attempt > 1 else ""]
    parts += [f"HTTP {detail.status}" if detail.status else ""]
    if (total := detail.durations.get("total")) is not None:
        parts.append(f"in effect after {total * 1000:.0f} ms")
    return "; ".join(filter(None, (*parts, detail.message)))


def _plan(plan: object) -> str:
    if isinstance(plan, dict):
        plan = plan.get("type", "")
    return f"plan: {plan}" if isinstance(plan, str) and plan else ""


def _said(finding: _Finding | None) -> str:
    return "" if finding is None else f"{finding.reason}: {finding.message}"
