"""The log stays within its age and size, and its chain can still be proved."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from reactor.audit.chain import verify
from reactor.audit.keeper import Keeper
from reactor.audit.ledger import Start
from reactor.audit.retention import Retention, Sweeper
from tests.unit.audit.logs import crash, document, entry, eventually, journal, opened, rows
from tests.unit.audit.test_chain import edit

_DAY = 86_400_000_000


class Clock:
    """A wall clock that tests turn: microseconds."""

    def __init__(self) -> None:
        self.now = 100 * _DAY

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.sqlite"


async def _fill(path: Path, clock: Clock, count: int = 450, **settings: object) -> None:
    async with opened(path, clock=clock, **settings) as log:
        for number in range(count):
            shared, own = document("shared"), document(f"{clock.now} {number}")
            log.append(entry(name=str(number), at=clock.now, documents=(shared, own)))
        assert await log.commit()


async def test_rows_older_than_the_age_go_with_their_documents_and_runs(path: Path) -> None:
    clock = Clock()
    await _fill(path, clock)
    clock.now += 10 * _DAY
    await _fill(path, clock, count=20)
    clock.now += 25 * _DAY
    async with opened(path, clock=clock):
        await eventually(lambda: rows(path, "SELECT count(*) FROM entries") <= [(25,)])
        await eventually(lambda: rows(path, "SELECT count(*) FROM runs") == [(2,)])
    kinds = "SELECT kind, count(*) FROM entries GROUP BY kind ORDER BY kind"
    assert rows(path, kinds) == [
        ("purged", 1),
        ("started", 2),
        ("stopped", 2),
        ("translated", 20),
    ]
    assert rows(path, "SELECT count(*) FROM documents") == [(21,)]
    assert rows(path, "SELECT count(*) FROM refs") == [(40,)]
    ((detail,),) = rows(path, "SELECT detail FROM entries WHERE kind = 'purged'")
    told = msgspec.json.decode(detail)
    assert (told["rows"], told["seq"]) == (452, 452)
    assert (told["first"], told["last"]) == (100 * _DAY, 100 * _DAY)
    verdict = await verify(str(path))
    assert (verdict.problem, verdict.rows) == (None, 25)


async def test_a_cut_within_a_run_keeps_what_the_run_said_of_itself(path: Path) -> None:
    clock = Clock()
    async with opened(path, clock=clock) as log:
        log.append(entry(at=clock.now, documents=(document("old"),)))
        clock.now += 29 * _DAY
        log.append(entry(at=clock.now, documents=(document("new"),)))
        clock.now += 2 * _DAY
    async with opened(path, clock=clock):
        await eventually(lambda: rows(path, "SELECT min(position) FROM entries") == [(3,)])
    assert rows(path, "SELECT cut FROM runs ORDER BY id") == [(2,), (0,)]
    assert rows(path, "SELECT body FROM documents") == [(document("new").body.decode(),)]
    assert (await verify(str(path))).problem is None
    edit(path, "UPDATE runs SET host = 'other' WHERE cut = 2")
    assert "isn't what was written when it started" in str((await verify(str(path))).problem)


async def test_a_quiet_log_comes_to_rest(path: Path) -> None:
    clock = Clock()
    for _ in range(4):
        async with opened(path, clock=clock) as log:
            clock.now += 40 * _DAY
            log.append(entry(at=clock.now))
            assert await log.commit()
    async with opened(path, clock=clock) as log:
        await eventually(lambda: rows(path, "SELECT count(*) FROM runs") <= [(2,)])
        before = rows(path, "SELECT max(position) FROM entries")
        log.append(entry(at=clock.now))
        assert await log.commit()
        ((after,),) = rows(path, "SELECT max(position) FROM entries")
        assert after == before[0][0] + 1
    assert (await verify(str(path))).problem is None


async def test_the_size_is_bounded(path: Path) -> None:
    size = 2 << 20
    clock = Clock()
    async with opened(path, clock=clock, retention=Retention(size=size)) as log:
        for number in range(1500):
            log.append(entry(name=str(number), documents=(document(f"{number}" + "x" * 2000),)))
        assert await log.commit()
    async with opened(path, clock=clock, retention=Retention(size=size)):
        await eventually(lambda: _used(path) <= 0.85 * size)
    ((first, last),) = rows(path, "SELECT min(position), max(position) FROM entries")
    assert 200 < first < 1400
    assert last > 1500
    assert (await verify(str(path))).problem is None


async def test_the_size_is_looked_at_while_rows_come_and_not_a_minute_later(path: Path) -> None:
    size = 2 << 20
    async with opened(path, retention=Retention(size=size)) as log:
        assert await log.commit()
        await eventually(lambda: log._sweeper.wait > 1.0)
        for number in range(1500):
            log.append(entry(name=str(number), documents=(document(f"{number}" + "x" * 2000),)))
        assert await log.commit()
        await eventually(lambda: _used(path) <= 0.9 * size)
        ((purges,),) = rows(path, "SELECT count(*) FROM entries WHERE kind = 'purged'")
        assert purges <= 2
    assert (await verify(str(path))).problem is None


def _used(path: Path) -> float:
    found = [
        rows(path, f"PRAGMA {name}")[0][0] for name in ("page_count", "freelist_count", "page_size")
    ]
    return float((found[0] - found[1]) * found[2])


async def test_a_document_that_went_and_comes_again_is_stored_again(path: Path) -> None:
    clock = Clock()
    async with opened(path, clock=clock, retention=Retention(age=86400.0)) as log:
        log.append(entry(at=clock.now, documents=(document("a"),)))
        assert await log.commit()
        await eventually(lambda: log._sweeper.wait > 1.0)
        clock.now += 3 * _DAY
        log._sweeper._due = 0.0
        for _ in range(3):
            log.append(entry(at=clock.now))
            assert await log.commit()
        await eventually(lambda: rows(path, "SELECT count(*) FROM documents") == [(0,)])
        log.append(entry(at=clock.now, documents=(document("a"),)))
        assert await log.commit()
    assert rows(path, "SELECT count(*) FROM documents") == [(1,)]
    assert (await verify(str(path))).problem is None


async def test_a_purge_that_a_crash_cut_short_is_finished_and_the_log_proved_meanwhile(
    path: Path,
) -> None:
    clock = Clock()
    await _fill(path, clock)
    clock.now += 40 * _DAY
    async with opened(path, clock=clock):
        await eventually(lambda: rows(path, "SELECT min(position) FROM entries") > [(1,)])
    assert (await verify(str(path))).problem is None
    async with opened(path, clock=clock):
        await eventually(lambda: rows(path, "SELECT min(position) FROM entries") > [(452,)])
    assert (await verify(str(path))).problem is None


@pytest.mark.parametrize("days", [25, 60])
async def test_a_log_is_proved_while_what_was_proved_already_is_purged(
    path: Path, days: int
) -> None:
    clock = Clock()
    crashed = journal(path, clock=clock)
    await crashed.open()
    crashed.append(entry(at=clock.now))
    assert await crashed.commit()
    await crash(crashed)
    clock.now += 10 * _DAY
    await _fill(path, clock, count=300)
    looked = 0

    async def rest(worked: float) -> None:
        nonlocal looked
        looked += 1
        if looked == 3:
            clock.now += days * _DAY
            async with opened(path, clock=clock) as log:
                kept = 300 if days > 30 else 3
                await eventually(
                    lambda: rows(path, "SELECT min(position) >= ? FROM entries", kept) == [(1,)]
                )
                log.append(entry(at=clock.now))
                assert await log.commit()

    verdict = await verify(str(path), rest=rest)
    assert verdict.problem is None
    assert looked > 3


async def test_a_log_is_proved_while_a_part_of_the_run_is_purged_that_was_proved_already(
    path: Path,
) -> None:
    clock = Clock()
    await _fill(path, clock, count=150)
    async with opened(path, clock=clock) as log:
        log.append(entry(at=clock.now))
        clock.now += 20 * _DAY
        for number in range(300):
            log.append(entry(name=str(number), at=clock.now))
        assert await log.commit()
    looked = 0

    async def rest(worked: float) -> None:
        nonlocal looked
        looked += 1
        if looked == 3:
            clock.now += 20 * _DAY
            async with opened(path, clock=clock):
                await eventually(lambda: rows(path, "SELECT max(cut) > 0 FROM runs") == [(1,)])

    verdict = await verify(str(path), rest=rest)
    assert verdict.problem is None
    assert looked > 3


async def test_rows_go_as_fast_as_they_come(path: Path) -> None:
    keeper = Keeper(path, lambda: Start(0, "1.2.3", "node", "{}", "cluster.local"))
    sweeper = Sweeper(Retention(age=1.0))
    await keeper.lock(print)
    try:
        await keeper.hold()
        for day in range(120):
            some = [entry(at=day * _DAY) for _ in range(300)]
            await keeper.run(keeper.ledger.write, some)
            await sweeper.sweep(keeper, (day + 1) * _DAY)
    finally:
        await keeper.close()
        keeper.release()
    ((left,),) = rows(path, "SELECT count(*) FROM entries")
    assert left < 18_000  # of 36,000
