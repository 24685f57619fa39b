"""How syncs ended before a start, as the log tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from reactor.audit.pace import Pace
from reactor.audit.query.endings import LastEnd, last_ends
from reactor.errors import Fatal
from reactor.handlers.overview import alike
from tests.unit.audit.logs import entry, opened


async def ends(path: Path, *services: str) -> dict[str, LastEnd]:
    names = [("default", service) for service in services]
    found = last_ends(str(path), names, alike=alike, pace=Pace())
    return {end.service: end async for some in found for end in some}


async def test_the_last_end_says_since_when_ends_are_like_it(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    told = {
        "steady": [("created", "a"), ("patched", "a"), ("unchanged", "a")],
        "mended": [("failed", "a"), ("conflict", "a"), ("patched", "a"), ("patched", "a")],
        "broken": [("patched", "a"), ("failed", "a"), ("failed", "a")],
        "inherited": [("patched", "a"), ("patched", "b"), ("patched", "b")],
    }
    async with opened(path) as log:
        for at in range(4):
            for service, outcomes in told.items():
                log.append(entry("translated", service, at=at, split="z"))
                if at < len(outcomes):
                    outcome, split = outcomes[at]
                    detail = b'{"message":"why","durations":{"total":%d.5}}' % at
                    log.append(
                        entry("synced", service, at=at, outcome=outcome, split=split, detail=detail)
                    )
        assert await log.commit()

    found = await ends(path, *told, "none", *map(str, range(50)))

    assert {service: (end.at, end.since, end.winner) for service, end in found.items()} == {
        "steady": (2, 0, "a"),
        "mended": (3, 2, "a"),
        "broken": (2, 1, "a"),
        "inherited": (2, 1, "b"),
    }
    last = found["mended"]
    assert (last.outcome, last.message, last.seconds) == ("patched", "why", 3.5)


async def test_a_log_that_is_not_there_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match="be opened"):
        await ends(tmp_path / "none.sqlite", "web")
