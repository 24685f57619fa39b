"""`linkerd-smi audit --db postgresql://...`, on an archive that was filled from a real log."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import web

from reactor.audit.archive import shipper as shipping_module
from tests.archive.postgres import PASSWORD, Postgres
from tests.archive.shipping import level, shipping, until, write
from tests.audit_cli.conftest import Audit
from tests.audit_cli.relay import tail
from tests.audit_cli.story import SERVICE, SPLIT
from tests.unit.audit.logs import opened
from tests.unit.kube.loopback import serving


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipping_module, "LONGEST", 0.5)


CLUSTER = ("--cluster-name", "one")


async def test_the_archive_says_what_the_file_says(
    audit: Audit, log: Path, postgres: Postgres, database: str
) -> None:
    url = postgres.url(database)
    async with shipping(url, log) as shipper:
        await until(level(shipper))
    reader = f"CREATE USER reader PASSWORD '{PASSWORD}' IN ROLE pg_read_all_data"
    await postgres.execute(database, reader)
    url = url.replace("adaptor:", "reader:")
    for command in (
        ("list",),
        ("list", "--actor", "bob", "--since", "-1h"),
        ("history", SPLIT),
        ("state", SERVICE),
        ("diff", SERVICE, "--from", "-1h"),
    ):
        archive = await audit(*command, "--db", url, *CLUSTER, "-o", "json")
        file = await audit(*command, "--db", log, "-o", "json")
        assert (archive.code, archive.json) == (file.code, file.json), command
    name = (await audit("list", "--db", url, *CLUSTER, "-o", "name", "--limit", "1")).out.strip()
    assert (await audit("show", "--db", url, *CLUSTER, name)).code == 0
    lines = (await audit("export", "--db", url, *CLUSTER)).out.splitlines()
    assert lines[-1] == f'{{"export": "complete", "rows": {await asyncio.to_thread(count, log)}}}'


async def test_the_archive_is_proved_and_counted(
    audit: Audit, log: Path, postgres: Postgres, database: str
) -> None:
    url = postgres.url(database)
    for cluster in ("one", "two"):
        async with shipping(url, log, cluster=cluster) as shipper:
            await until(level(shipper))
    rows = await asyncio.to_thread(count, log)
    where = ("--db", url, "--cluster-name", "one")
    proved = await audit("verify", *where)
    assert proved.code == 0
    first, anchor = proved.out.splitlines()
    assert first == f"proved: {rows} rows are as they were written"
    here = await audit("verify", "--db", log)
    assert anchor == here.out.splitlines()[1]
    kept = anchor.removeprefix("anchor: ")
    assert (await audit("verify", *where, "--anchor", kept, "--anchor", kept)).code == 0
    await postgres.execute(
        database,
        "UPDATE entries SET actor = 'eve' WHERE seq = 3 AND cluster ="
        " (SELECT id FROM clusters WHERE name = 'one')",
    )
    broken = await audit("verify", *where)
    assert broken.code == 1
    assert ":3 isn't what was written" in broken.out
    assert (await audit("verify", "--db", url, "--cluster-name", "two")).code == 0
    assert (await audit("verify", *where, "--anchor", "x")).code == 2

    told = (await audit("stats", *where, "-o", "json")).json
    file = (await audit("stats", "--db", log, "-o", "json")).json
    assert [told[name] for name in ("rows", "runs", "oldest", "newest", "gaps")] == [
        file[name] for name in ("rows", "runs", "oldest", "newest", "gaps")
    ]
    archive = told["archive"]
    assert (archive["cluster"], archive["rows"], archive["losses"]) == ("one", rows, [])
    assert [one["name"] for one in archive["clusters"]] == ["one", "two"]
    assert sum(one["bytes"] for one in archive["months"]) == archive["bytes"] > 0
    shown = await audit("stats", *where)
    assert shown.code == 0
    for heading in ("Cluster: ", "MONTH ", "CLUSTER "):
        assert heading in shown.out


async def test_a_tail_of_the_archive_follows_all_replicas_and_is_cut_off_meanwhile(
    postgres: Postgres, database: str, tmp_path: Path
) -> None:
    url = postgres.url(database)
    paths = [tmp_path / "one.sqlite", tmp_path / "two.sqlite"]
    async with (
        opened(paths[0]) as first,
        opened(paths[1]) as second,
        shipping(url, paths[0]) as one,
        shipping(url, paths[1]) as two,
    ):
        written = 0

        async def more(count: int) -> None:
            nonlocal written
            for log, shipper in ((first, one), (second, two)):
                write(log, count, start=written)
                assert await log.commit()
                shipper.committed(count)
            written += count

        await until(lambda: level(one)() and level(two)())
        async with tail("--db", url, *CLUSTER) as running:
            # It begins at some time.
            names: list[str] = []
            reading = asyncio.create_task(running.names(1))
            while not reading.done():
                await more(1)
                await asyncio.wait({reading}, timeout=0.2)
            names += await reading
            for _ in range(3):
                await more(20)
                # The tail's, and those of both that copy.
                await postgres.execute(
                    "postgres",
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    f" WHERE datname = '{database}'",
                )
            ends = {first.run: written + 1, second.run: written + 1}
            while not all(f"{run}:{end}" in names for run, end in ends.items()):
                names += await running.names(1)
            code, err = await running.interrupted()
    for run, end in ends.items():
        seqs = [int(seq) for name, _, seq in (n.partition(":") for n in names) if name == run]
        assert seqs == list(range(seqs[0], end + 1))
    assert code == 130
    assert PASSWORD not in err
    assert "Traceback" not in err


async def test_what_the_archive_has_not_is_one_line_without_the_password(
    audit: Audit, log: Path, postgres: Postgres, database: str
) -> None:
    url = postgres.url(database)
    for command in ("list", "verify", "stats", "tail"):
        ended = await audit(command, "--db", url)
        assert ended.code == 1, command
        assert "has no rows of any cluster" in ended.err
        assert PASSWORD not in ended.err
        assert ended.err.count("\n") == 1
    async with shipping(url, log, cluster="eu-1") as shipper:
        await until(level(shipper))
    ended = await audit("list", "--db", url)
    assert ended.code == 1
    assert "no rows of cluster default; name one that it has: eu-1" in ended.err
    for wrong in (f"{url}?sslmode=perhaps", f"postgresql://me:{PASSWORD}@[db/x"):
        ended = await audit("list", "--db", wrong)
        assert ended.code == 1
        assert "can't be asked with the URL that was given" in ended.err
        assert PASSWORD not in ended.err
    ended = await audit("backup", "--db", url, "copy")
    assert ended.code == 2
    assert "pg_dump" in ended.err
    assert PASSWORD not in ended.err


async def test_an_archive_that_lags_is_said_to(audit: Audit) -> None:
    async def lagging(request: web.Request) -> web.Response:
        return web.json_response(
            {"entries": [], "next": None, "previous": None, "partial": False},
            headers={"X-Log-Source": "archive; lag-rows=3; lag-seconds=1.5"},
        )

    async with serving(lagging) as server:
        ended = await audit("list", "--url", server.url, "-o", "json")
    assert ended.code == 0
    assert re.search(r"lag-rows=3", ended.err)


def count(log: Path) -> int:
    with closing(sqlite3.connect(log)) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM entries").fetchone()
    return int(rows)
