"""What the style sheet promises by numbers: text that can be told from what it stands on."""

from __future__ import annotations

import re

import pytest

from reactor.admin.pages.assets import asset

CSS = asset("pages.css").body.decode()
LIGHT, DARK = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
TEXTS = ("ink", "quiet", "link", "applied", "good", "warn", "bad")
LINES = ("focus", "fill", "b0", "b1", "b2", "b3", "b4", "b5")


def _luminance(colour: str) -> float:
    digits = colour if len(colour) == 6 else "".join(digit * 2 for digit in colour)
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("names", "least"), [(TEXTS, 4.5), (LINES, 3.0)], ids=["text", "lines"])
def test_colours_stand_out_as_wcag_asks(scheme: str, names: tuple[str, ...], least: float) -> None:
    colours = dict(re.findall(r"--(\w+): #([0-9a-f]+);", scheme))
    for name in names:
        for ground in ("paper", "card"):
            assert _contrast(colours[name], colours[ground]) >= least, (name, ground)


def test_nothing_moves_for_who_does_not_want_it() -> None:
    moving = r"@media \(prefers-reduced-motion: no-preference\) \{.*?\n\}"
    still = re.sub(moving, "", CSS, flags=re.DOTALL)
    assert "animation" in CSS
    assert "animation" not in still
    assert "transition" not in still
