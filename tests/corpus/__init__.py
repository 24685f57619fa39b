"""Recorded logs, and what records them: README.md tells how to add one.

No tests here: tests/replay/test_corpus.py replays them.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def logs() -> list[Path]:
    """The recorded logs, in the order of their names."""
    return sorted(FOLDER.glob("*.sqlite"))
