"""`python -m tests.docs`: writes into the pages what it takes from the code; a test compares."""

from __future__ import annotations

import re
from pathlib import Path

from reactor.settings import FLAGS
from tests.chart import readme
from tests.cli import reference

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ROOT / "docs" / "settings.md"


def with_flags(page: str) -> str:
    """``page`` with the table of flags between its marks as it ought to be."""
    rows = ["| flag | variable | default | what it does |", "|---|---|---|---|"]
    for flag in FLAGS.flags:
        written = f"-{flag.name} {flag.placeholder}".strip().replace("|", r"\|")
        rows.append(f"| `{written}` | `{FLAGS.variable(flag)}` | {flag.default} | {flag.text} |")
    table = "\n".join(rows)
    return re.sub(
        r"(<!-- flags:[^\n]*-->\n).*?(<!-- /flags -->)",
        lambda match: f"{match[1]}{table}\n{match[2]}",
        page,
        flags=re.DOTALL,
    )


def main() -> None:
    """Rewrites the pages in place."""
    SETTINGS.write_text(with_flags(SETTINGS.read_text()))
    reference.PAGE.write_text(reference.with_commands(reference.PAGE.read_text()))
    readme.README.write_text(readme.with_values(readme.README.read_text()))


if __name__ == "__main__":
    main()
