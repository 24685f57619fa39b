"""Parts of a page, written from the code between `<!-- NAME: ... -->` and `<!-- /NAME -->`."""

from __future__ import annotations

import re


def written(page: str, name: str, text: str) -> str:
    """``page`` with ``text`` between the marks of this name, which stand there once."""
    made, count = re.subn(
        rf"(<!-- {name}:[^\n]*-->\n).*?(<!-- /{name} -->)",
        lambda match: f"{match[1]}{text}\n{match[2]}",
        page,
        flags=re.DOTALL,
    )
    # A page without its marks would pass for one that is as it ought to be.
    assert count == 1, f"{count} places are marked {name}"
    return made
