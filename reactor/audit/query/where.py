"""Filters as SQL."""

from __future__ import annotations

from typing import Any

from reactor.audit.query.filters import Filters


def conditions(filters: Filters) -> tuple[str, list[Any]]:
    """What the columns of a row ``e`` have to be, beginning with AND."""
    where: list[str] = []
    parameters: list[Any] = []
    # A unary plus keeps the indexes of these columns out of it.
    for column, value in filters.columns().items():
        where.append(f" AND +e.{column} = ?")
        parameters.append(value)
    if filters.since is not None:
        where.append(" AND +e.at >= ?")
        parameters.append(filters.since)
    if filters.until is not None:
        where.append(" AND +e.at < ?")
        parameters.append(filters.until)
    return "".join(where), parameters
