"""What a replay found, as text for people and as JSON, as it comes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from reactor.replay.decisions import Difference, Part, Trouble
from reactor.units import counted

_SHORT = 90
"""Characters of two values that stand side by side."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Summary(msgspec.Struct):
    """The whole replay in figures; ``undecodable`` by why."""

    rows: int = 0
    same: int = 0
    different: int = 0
    undecodable: dict[str, Trouble] = {}

    def add(self, part: Part) -> None:
        """Count a further part."""
        self.same += part.same
        self.different += len(part.different)
        self.rows += part.same + len(part.different)
        for why, trouble in part.undecodable.items():
            self.rows += trouble.rows
            known = self.undecodable.get(why)
            if known is None:
                self.undecodable[why] = msgspec.structs.replace(trouble)
            else:
                known.rows += trouble.rows

    @property
    def clean(self) -> bool:
        """Whether there were rows, and today's code decides all of them as recorded."""
        return self.rows > 0 and self.same == self.rows


def text(parts: Iterable[Part], summary: Summary) -> Iterator[str]:
    """Lines: each difference with its fields, then the summary, which is counted on the way."""
    for part in parts:
        summary.add(part)
        for found in part.different:
            yield from _lines(found)
    undecodable = sum(trouble.rows for trouble in summary.undecodable.values())
    yield (
        f"{counted(summary.rows, 'decision')}: {summary.same} the same,"
        f" {summary.different} different, {undecodable} not decodable"
    )
    for why, trouble in summary.undecodable.items():
        yield f"  not decodable: {trouble.rows}, first {trouble.first}: {why}"


def json(parts: Iterable[Part], summary: Summary) -> Iterator[str]:
    """Lines of one JSON object, none of which waits for the next."""
    yield '{"differences": ['
    before = ""
    for part in parts:
        summary.add(part)
        for found in part.different:
            shown = {**msgspec.structs.asdict(found), "at": moment(found.at)}
            yield before + msgspec.json.encode(shown).decode()
            before = ","
    yield f'], "summary": {msgspec.json.encode(summary).decode()}}}'


def yaml(parts: Iterable[Part], summary: Summary) -> Iterator[str]:
    """The same as YAML, as it comes."""
    empty = True
    for part in parts:
        summary.add(part)
        for found in part.different:
            if empty:
                yield "differences:"
            empty = False
            yield _block([{**msgspec.to_builtins(found), "at": moment(found.at)}])
    if empty:
        yield "differences: []"
    yield _block({"summary": msgspec.to_builtins(summary)})


def names(parts: Iterable[Part], summary: Summary) -> Iterator[str]:
    """The places of the differences, as `audit show` takes them."""
    for part in parts:
        summary.add(part)
        for found in part.different:
            yield f"{found.run}:{found.seq}"


def _block(value: Any) -> str:
    import yaml

    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
    return text.removesuffix("\n")


def moment(at: int) -> str:
    """RFC 3339 with microseconds for microseconds since 1970 UTC."""
    found = _EPOCH + timedelta(microseconds=at)
    return found.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _lines(found: Difference) -> Iterator[str]:
    split = f" (split {found.split})" if found.split else ""
    yield f"{found.run}:{found.seq}  {moment(found.at)}  {found.namespace}/{found.service}{split}"
    for field in found.fields:
        recorded, today = _value(field.recorded), _value(field.today)
        if len(recorded) + len(today) <= _SHORT:
            yield f"    {field.field}: {recorded} -> {today}"
        else:
            yield f"    {field.field}:"
            yield f"        {recorded}"
            yield f"     -> {today}"


def _value(value: Any) -> str:
    return "(absent)" if value is msgspec.UNSET else msgspec.json.encode(value).decode()
