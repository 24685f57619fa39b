"""What became of a split when its write was tried again, and when several logs tell of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from reactor.audit.journal import Journal
from reactor.audit.query import Reader
from reactor.audit.query.history import Change, History, Log, history
from reactor.model.meta import Document
from tests.unit.audit.logs import crash, document, entry, journal, opened

START = 1_700_000_000_000_000


class Story:
    """Rows about the split ``s`` of the service ``web``, a second apart."""

    def __init__(self, log: Journal, *, second: int = 0) -> None:
        self._log = log
        self.at = START + second * 1_000_000
        self._decisions = 0

    def _append(self, kind: Any, detail: dict[str, object], **fields: Any) -> None:
        self.at += 1_000_000
        given = {"at": self.at, "split": "s", "detail": msgspec.json.encode(detail), **fields}
        self._log.append(entry(kind, **given))

    def seen(self, weight: int, *, type: str = "modified", actor: str = "alice") -> None:
        body = msgspec.json.encode({"spec": {"backends": [{"service": "a", "weight": weight}]}})
        found = Document(document(body.decode()).digest, body)
        self._append(
            "observed",
            {"type": type, "uid": "u"},
            documents=(found,),
            actor=actor,
            resource_version=str(weight),
        )
        self._found = found

    def decided(self, outcome: str | None, *, seen: bool = True, **detail: object) -> None:
        self._decisions += 1
        reconcile = f"{self._log.run}-{self._decisions}"
        documents = (self._found,) if seen else ()
        self._append("translated", {"desired": {}}, reconcile=reconcile, documents=documents)
        if outcome is not None:
            self._append("synced", detail, outcome=outcome, reconcile=reconcile)


async def told(path: Path, *, limit: int = 20) -> tuple[Change, ...]:
    """All changes, newest first, so many at a time."""
    return await paged(Reader(url=str(path)), limit=limit)


async def paged(log: Log, *, limit: int) -> tuple[Change, ...]:
    """The same of any log."""
    changes: list[Change] = []
    found = History((), "")
    while found.next is not None:
        found = await history(log, "default", "s", limit=limit, cursor=found.next or None)
        changes += found.changes
    return tuple(changes)


@pytest.mark.parametrize("tries", [("conflict",), ("failed", "failed", "conflict")])
async def test_a_change_that_was_tried_again_tells_how_that_ended(
    tmp_path: Path, tries: tuple[str, ...]
) -> None:
    path = tmp_path / "log.sqlite"
    async with opened(path) as log:
        story = Story(log)
        story.seen(1, type="added")
        story.decided("created", durations={"total": 0.2})
        story.seen(2)
        for outcome in tries:
            story.decided(outcome, durations={"queued": 0.1, "decided": 0.2}, message="no")
        story.decided("patched", durations={"committed": 0.3, "written": 0.4, "total": 0.7})
        story.seen(3)
        story.decided("failed", message="not yet")
        assert await log.commit()

    last, changed, first = await told(path)

    assert first.ended is not None
    assert first.ended.durations == {"total": 0.2}
    assert changed.decided is not None
    assert changed.ended is not None
    assert (changed.ended.outcome, changed.ended.message) == ("patched", "")
    took = changed.ended.durations
    # From the first decision on, and not only from the last try.
    passed = (changed.ended.entry.at - changed.decided.entry.at) / 1e6
    assert took["total"] == pytest.approx(passed + 0.3)
    assert sum(took.values()) == pytest.approx(2 * took["total"])
    assert took["retried"] > len(tries)
    assert last.ended is not None
    assert (last.ended.outcome, last.ended.message) == ("failed", "not yet")


async def test_a_try_for_a_later_change_is_none_of_the_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    async with opened(path) as log:
        story = Story(log)
        story.seen(1, type="added")
        story.decided("failed", message="no")
        story.seen(2)
        story.decided("patched")
        assert await log.commit()

    later, earlier = await told(path)

    assert earlier.ended is not None
    assert later.ended is not None
    assert (earlier.ended.outcome, later.ended.outcome) == ("failed", "patched")


async def test_what_a_crash_interrupted_tells_what_the_next_run_made_of_it(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    dying = journal(path)
    await dying.open()
    story = Story(dying)
    story.seen(1, type="added")
    story.decided(None)
    assert await dying.commit()
    await crash(dying)
    async with opened(path) as log:
        ended = entry(
            "synced", at=story.at + 1, outcome="interrupted", reconcile=f"{dying.run}-1", split="s"
        )
        log.append(ended)
        assert await log.commit()
        (open_still,) = await told(path)
        again = Story(log, second=60)
        again._found = story._found
        again.decided("unchanged")
        assert await log.commit()

    (settled,) = await told(path)

    assert open_still.ended is not None
    assert settled.ended is not None
    assert (open_still.ended.outcome, settled.ended.outcome) == ("interrupted", "unchanged")
    assert settled.ended.entry.run == log.run


@pytest.mark.parametrize("limit", [1, 2, 20])
async def test_a_log_that_was_begun_anew_tells_of_no_change_twice(
    tmp_path: Path, limit: int
) -> None:
    path = tmp_path / "log.sqlite"
    for start in range(3):
        async with opened(path) as log:
            story = Story(log, second=100 * start)
            if start == 0:
                story.seen(1, type="added", actor="alice")
                story.decided("created")
                story.seen(2, actor="bob")
                story.decided("patched")
            else:
                story.seen(2, type="added", actor="unknown")
            if start == 2:
                story.seen(2, type="deleted", actor="unknown")
                story.decided("deleted", seen=False)
            assert await log.commit()

    changes = await told(path, limit=limit)

    assert [(change.type, change.actor) for change in changes] == [
        ("deleted", "unknown"),
        ("modified", "bob"),
        ("added", "alice"),
    ]
    assert [change.before and len(change.before) for change in changes] == [1, 1, None]
    assert [c.ended and c.ended.outcome for c in changes] == ["deleted", "patched", "created"]
