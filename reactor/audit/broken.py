"""What a proof of the log ends with when the log isn't as it was written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


class Broken(Exception):
    """The log isn't as it was written here; the message names the place."""


@contextmanager
def readable(name: str) -> Iterator[None]:
    """The log's text is UTF-8; what isn't, the adaptor never wrote."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if is_no_text(error):
            raise Broken(f"{name} holds bytes that are no text") from error
        raise


def is_no_text(error: sqlite3.OperationalError) -> bool:
    """Raised by the driver when it decodes a value, hence without a code of SQLite's."""
    return getattr(error, "sqlite_errorcode", None) is None
