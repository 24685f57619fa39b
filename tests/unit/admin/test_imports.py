"""What the admin port costs at import."""

from __future__ import annotations

import subprocess
import sys

NEEDLESS = {
    "alembic",
    "faker",
    "httpx",
    "jinja2",
    "mako",
    "markdown_it",
    "polyfactory",
    "pydantic",
    "pygments",
    "rich",
    "rich_click",
    "websockets",
}
BUILD = """
import sys
from prometheus_client import CollectorRegistry
from reactor.admin.server import Server
from reactor.audit.feed import Feed
from tests.unit.admin.parts import MemoryLog, NoSplits, Reasons
log = MemoryLog()
Server(address=":0", readiness=Reasons(), registry=CollectorRegistry(), log=log,
       feed=Feed(log=log), splits=NoSplits(), reviewer=None)
print(*{name.partition(".")[0] for name in sys.modules})
"""


def test_building_the_server_loads_none_of_what_it_does_not_need() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BUILD], capture_output=True, text=True, check=True, timeout=60
    )
    assert NEEDLESS & set(done.stdout.split()) == set()
