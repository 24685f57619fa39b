"""`linkerd-smi audit --db postgresql://...`, on an archive that was filled from a real log."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing
from pathlib import Path

from aiohttp import web

from tests.archive.postgres import PASSWORD, Postgres
from tests.archive.shipping import level, shipping, until
from tests.audit_cli.conftest import Audit
from tests.audit_cli.story import SERVICE, SPLIT
from tests.unit.kube.loopback import serving

CLUSTER = ("--cluster-name", "one")


async def test_the_archive_says_what_the_file_says(
    audit: Audit, log: Path, postgres: Postgres, database: str
) -> None:
    url = postgres.url(database)
    async with shipping(url, log) as shipper:
        await until(level(shipper))
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


async def test_what_the_archive_has_not_is_one_line_without_the_password(
    audit: Audit, postgres: Postgres, database: str
) -> None:
    url = postgres.url(database)
    for command, code, said in (
        ("list", 1, "no rows of this cluster"),
        ("verify", 2, "not the archive"),
        ("stats", 2, "not the archive"),
    ):
        ended = await audit(command, "--db", url)
        assert ended.code == code
        assert said in ended.err
        assert PASSWORD not in ended.err
        assert ended.err.count("\n") == 1


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
