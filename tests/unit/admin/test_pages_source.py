"""Which log a page tells of, and what of it no log tells."""

from __future__ import annotations

from html import unescape

import pytest

from tests.unit.admin.client import ask
from tests.unit.admin.conftest import Serve
from tests.unit.admin.parts import RUN, MemoryLog, row

HTML = {"Accept": "text/html"}
ROWS = [row(1, kind="started")]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("archive", "From the archive."),
        ("archive; lag-rows=12; lag-seconds=0.4", "which lacks this adaptor&#39;s newest 12 rows"),
        ("local; archive-lacks-rows=7", "The archive can&#39;t be asked now"),
    ],
)
async def test_a_page_says_which_log_it_tells_of(serve: Serve, source: str, said: str) -> None:
    server = await serve(log=MemoryLog(ROWS), source=lambda: source)
    for target in ("/log", f"/entries/{RUN}/1", "/splits/n/s"):
        assert said in (await ask(server.port, target, headers=HTML)).text


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("archive; lag-rows=12", "from the archive, which lacks this adaptor's newest 12 rows."),
        ("local; archive-lacks-rows=7", "from its own log while the archive can't be asked."),
    ],
)
async def test_a_page_of_the_adaptors_own_state_says_what_alone_a_log_tells(
    serve: Serve, source: str, said: str
) -> None:
    server = await serve(log=MemoryLog(ROWS), source=lambda: source)
    splits = await _text(server.port, "/")
    assert "The list is this adaptor's own state; the history of each split comes" in splits
    health = await _text(server.port, "/health")
    assert "watches and gaps are this adaptor's own; the runs come" in health
    assert said in splits
    assert said in health


async def _text(port: int, target: str) -> str:
    return unescape((await ask(port, target, headers=HTML)).text)
