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


def told(source: str, *, part: str = "") -> Told:
    """The header's value in words; ``part`` begins the sentence of a page that the log fills in
    part only, up to where that comes from.
    """
    name, *rest = source.split("; ")
    figures = dict(part.partition("=")[::2] for part in rest)
    if name == "local":
        if part:
            return Told(f"{part} from its own log while the archive can't be asked.", False)
        lacks = figures.get("archive-lacks-rows", "0")
        return Told(
            "The archive can't be asked now: this is what this adaptor's own log has, of which "
            f"{lacks} rows wait to be copied.",
            wanting=True,
        )
    begin = f"{part} from" if part else "From"
    if rows := figures.get("lag-rows"):
        return Told(f"{begin} the archive, which lacks this adaptor's newest {rows} rows.", False)
    return Told(f"{begin} the archive.", False)
