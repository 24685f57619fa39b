"""SQLAlchemy's asyncio extension is used without the ORM."""

from __future__ import annotations

import subprocess
import sys

import pytest

ALONE = """
import sys
import reactor.audit.journal, reactor.audit.query.reader
loaded = [name for name in sys.modules if name.startswith("sqlalchemy.orm")]
assert not loaded, loaded
"""
WHOLE = """
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from reactor.audit.library import AsyncEngine as ours
assert ours is AsyncEngine
assert AsyncSession.__module__ == "sqlalchemy.ext.asyncio.session"
"""


@pytest.mark.parametrize("script", [ALONE, WHOLE, ALONE + WHOLE], ids=["ours", "whole", "both"])
def test_the_orm_is_loaded_for_whoever_asks_for_it_alone(script: str) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, timeout=60)
