"""Where the pages are."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlencode, urlsplit

SIGN_IN: Final = "/sign-in"
STATIC: Final = "/static/"


def split(namespace: str, name: str) -> str:
    """The page of a split."""
    return f"/splits/{quote(namespace, safe='')}/{quote(name, safe='')}"


def entry(run: str, seq: int) -> str:
    """The page of an entry."""
    return f"/entries/{quote(run, safe='')}/{seq}"


def log(**filters: str) -> str:
    """The log's page with these filters."""
    return f"/log?{urlencode(filters)}"


def here(target: str) -> str:
    """This target if it is a page of this port, else the first one."""
    parts = urlsplit(target)
    local = not parts.scheme and not parts.netloc and target.isascii() and target.isprintable()
    # Browsers take a backslash for a slash, and two slashes for another address.
    inside = target.startswith("/") and not target.startswith("//") and "\\" not in target
    return target if local and inside and parts.path != SIGN_IN else "/"
