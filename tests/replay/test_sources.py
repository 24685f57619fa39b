"""`linkerd-smi replay` on a log that is no file: an adaptor's port, and the archive."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import msgspec
from aiohttp import web

from reactor.audit.query import Run
from reactor.client.once import Once
from tests.archive.postgres import PASSWORD, Postgres
from tests.archive.shipping import level, shipping, until
from tests.audit_cli.story import NAMESPACE, told
from tests.corpus import FOLDER
from tests.replay.command import replay
from tests.unit.kube.loopback import serving

LOG = FOLDER / "lifecycle.sqlite"


async def played(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(replay, *arguments)


async def test_an_archive_is_replayed_as_the_file_is(postgres: Postgres, database: str) -> None:
    url = postgres.url(database)
    async with shipping(url, LOG, retention=10_000 * 86400.0) as shipper:
        await until(level(shipper))
    where = ("--db", url, "--cluster-name", "one")
    arguments = ("-o", "json", "-n", "sharing", "--since", "2020-01-01T00:00:00Z", "--fail-on-diff")
    into = ("-n", "sharing", "--into", "sandbox", "--speed", "1000")
    file, archive, again = await asyncio.gather(
        played("--db", LOG, *arguments), played(*where, *arguments), played(*where, *into)
    )
    assert (archive.returncode, archive.stdout, archive.stderr) == (0, file.stdout, "")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "profiles as recorded: 1 of 1" in again.stdout
    other = await played("--db", url)
    assert other.returncode == 1
    assert "name one that it has: one" in other.stderr
    assert PASSWORD not in other.stderr


async def test_a_running_adaptor_is_replayed_over_its_port(tmp_path: Path) -> None:
    async with told(tmp_path, "--admin-auth=none") as story:
        ended = await played("--url", story.url, "--fail-on-diff", "-n", NAMESPACE)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout == "2 decisions: 2 the same, 0 different, 0 not decodable\n"


class Row(msgspec.Struct):
    run: str
    resource_version: str | None
    detail: msgspec.Raw
    kind: str = "observed"


def seen(run: str, version: str, kind: str = "modified", uid: str = "u") -> Row:
    detail = {"object": "trafficsplits", "name": "s", "type": kind, "uid": uid, "digest": ""}
    return Row(run, version, msgspec.Raw(msgspec.json.encode(detail)))


def test_what_two_replicas_saw_happens_once() -> None:
    def run(name: str, started: int, ended: int | None) -> Run:
        return Run(name, started, ended, "1", "host", "{}", "cluster.local", 1, 9)

    runs = [run("before", 0, 9), run("one", 10, None), run("two", 10, None)]
    once = Once(runs, only=None)
    told = [
        (seen("before", "1"), 5, True),
        (seen("one", "1"), 11, True),  # begun anew: all is listed
        (seen("one", "2"), 12, True),
        (seen("two", "2"), 13, False),
        (seen("two", "3"), 14, True),
        (seen("one", "3"), 15, False),
        (seen("one", "2"), 16, True),
        (seen("one", "4", "deleted"), 17, True),
        (seen("two", "4", "deleted"), 18, False),
        (seen("two", "5", uid="v"), 19, True),
        (Row("two", None, msgspec.Raw(b"{}"), "translated"), 20, True),
        (Row("two", None, msgspec.Raw(b"{}"), "synced"), 20, False),
    ]
    assert [once.wanted(row, at) for row, at, _ in told] == [wanted for _, _, wanted in told]
    only = Once(runs, only="two")
    assert only.wanted(seen("before", "1"), 5)
    assert not only.wanted(seen("one", "2"), 11)
    assert only.wanted(seen("two", "2"), 12)


async def test_a_log_that_ceases_to_answer_is_not_replayed_by_half() -> None:
    async def cut(request: web.Request) -> web.Response:
        if request.path.endswith("/runs"):
            return web.json_response({"runs": []})
        return web.Response(body=b'{"document": "00", "object": {}}\n')

    async with serving(cut) as server:
        ended = await played("--url", server.url)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "ceased to answer" in ended.stderr
