"""Times in questions and answers: RFC 3339 or relative in, RFC 3339 out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

ALLOWED = "RFC 3339 (2021-08-04T11:04:35Z) or relative (-90s, -30m, -2h, -7d)"
RELATIVE = r"^-[0-9]{1,6}[smhd]$"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# A plus sign that nobody percent-encoded arrives as a space.
_ABSOLUTE = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):([0-5]\d|60)(?:\.(\d+))?(?:[Zz]|([+\- ])(\d\d):([0-5]\d))",
    re.ASCII,
)


def parse(text: str, *, now: int) -> int:
    """Return microseconds since 1970 UTC; ``now`` is the same. ValueError says what is wrong."""
    if re.fullmatch(RELATIVE, text):
        return now - int(text[1:-1]) * _SECONDS[text[-1]] * 1_000_000
    match = _ABSOLUTE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:64]!r} is no time")
    date, minute, second, fraction, sign, hours, minutes = match.groups()
    try:
        # A leap second counts as the first instant of the next minute.
        start = datetime.fromisoformat(f"{date}T{minute}:00+00:00") - _EPOCH
    except ValueError:
        raise ValueError(f"{text[:64]!r} is no time that exists") from None
    if int(hours or 0) > 23:
        raise ValueError(f"{text[:64]!r} has an offset of more than a day")
    offset = (int(hours or 0) * 60 + int(minutes or 0)) * (-1 if sign == "-" else 1)
    whole = start // timedelta(microseconds=1)
    return (
        whole + (int(second) - offset * 60) * 1_000_000 + int((fraction or "0")[:6].ljust(6, "0"))
    )


def text(at: int) -> str:
    """Return RFC 3339 in UTC with microseconds for ``at``, microseconds since 1970."""
    moment = _EPOCH + timedelta(microseconds=at)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
