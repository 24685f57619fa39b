"""Rows of the archive as text, in the form that SQLite gives those of the local log."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from reactor.audit.query.export import COLUMNS, Form
from reactor.audit.row import Row

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BARE: Final = frozenset({"run", "seq", "at", "hash"})
"""Fields of a CSV record that never need quotes."""
_encode = msgspec.json.Encoder().encode


def lines(rows: Iterable[Row], form: Form) -> str:
    """One line for each."""
    return "".join(map(_object if form == "ndjson" else _record, rows))


def _values(row: Row) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in COLUMNS}
    at = _EPOCH + timedelta(microseconds=row.at)
    values["at"] = f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"
    values["documents"] = [digest.hex() for digest in row.digests]
    values["hash"] = row.hash.hex()
    return values


def _object(row: Row) -> str:
    return _encode({**_values(row), "detail": msgspec.Raw(row.detail.encode())}).decode() + "\n"


def _record(row: Row) -> str:
    values = _values(row)
    values["documents"] = _encode(values["documents"]).decode()
    fields = []
    for name, value in values.items():
        if name in _BARE:
            fields.append(str(value))
        else:
            fields.append("" if value is None else '"' + value.replace('"', '""') + '"')
    return ",".join(fields) + "\r\n"
