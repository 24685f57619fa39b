"""Which log a page tells of, where there is an archive too."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

Source = Callable[[], str]
"""Says which log answers now, as the header `X-Log-Source` has it."""


class Told(msgspec.Struct, frozen=True):
    """A sentence; ``wanting`` when the page may lack what is there."""

    sentence: str
    wanting: bool


def told(source: str) -> Told:
    """The header's value in words."""
    name, *rest = source.split("; ")
    figures = dict(part.partition("=")[::2] for part in rest)
    if name == "local":
        lacks = figures.get("archive-lacks-rows", "0")
        return Told(
            "The archive can't be asked now: this is what this adaptor's own log has, of which "
            f"{lacks} rows wait to be copied.",
            wanting=True,
        )
    if rows := figures.get("lag-rows"):
        return Told(f"From the archive, which lacks this adaptor's newest {rows} rows.", False)
    return Told("From the archive.", False)
