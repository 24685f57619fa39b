"""GET /api/v1/entries, on a log in SQLite."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from reactor.admin.server import Server
from reactor.audit.entry import Entry
from reactor.audit.journal import Journal
from reactor.audit.query import Filters, Page, Reader
from reactor.audit.retention import Retention
from reactor.errors import Retryable
from reactor.model.meta import Document
from tests.unit.admin.client import Answer, ask
from tests.unit.admin.conftest import Serve
from tests.unit.admin.parts import RUN, MemoryLog, row
from tests.unit.audit.indexing import catch_up

START = 1_600_000_000_000_000  # 2020-09-13T12:26:40Z
BODY = b'{"kind":"TrafficSplit"}'
DOCUMENT = Document(hashlib.sha256(BODY).digest(), BODY)


class Port:
    """The admin port over a real journal."""

    def __init__(self, server: Server, journal: Journal) -> None:
        self._server = server
        self._journal = journal

    async def write(self, entries: Sequence[Entry]) -> None:
        """Make these durable."""
        for entry in entries:
            self._journal.append(entry)
        assert await self._journal.commit()

    async def get(self, query: str = "") -> Answer:
        """Ask for entries."""
        return await ask(self._server.port, f"/api/v1/entries?{query}")

    async def ask(self, path: str) -> Answer:
        """Ask for a path."""
        return await ask(self._server.port, path)

    async def index(self) -> None:
        """Bring the search index up to date."""
        await catch_up(self._journal.path)

    async def names(self, query: str = "") -> list[str]:
        """Return the splits of the entries of one page."""
        answer = await self.get(query)
        assert answer.status == 200, answer.text
        return [entry["split"] for entry in answer.json()["entries"]]


@pytest.fixture(name="port")
async def _port(serve: Serve, tmp_path: Path) -> AsyncIterator[Port]:
    url = str(tmp_path / "audit.db")
    journal = Journal(
        url=url,
        version="1",
        host="test",
        settings={},
        cluster_domain="cluster.local",
        retention=Retention(),
        clock=lambda: START,
    )
    await journal.open()
    yield Port(await serve(log=Reader(url=url)), journal)
    await journal.close()


def observed(number: int, detail: str = "{}") -> Entry:
    """Return an entry of its own split and second."""
    return Entry(
        kind="observed", at=START + number * 1_000_000, detail=detail.encode(), split=f"s{number}"
    )


async def test_an_entry_has_digests_in_hex_its_time_as_text_and_its_detail_as_an_object(
    port: Port,
) -> None:
    await port.write(
        [
            Entry(
                kind="synced",
                at=START + 7_000_001,
                detail=b'{"weight":12345678901234567890,"small":0.1}',
                namespace="ns",
                split="split",
                service="web",
                outcome="patched",
                actor="kubectl",
                reconcile="r1",
                resource_version="12",
                documents=(DOCUMENT,),
            )
        ]
    )
    answer = await port.get("kind=synced")
    assert answer.headers["content-type"] == "application/json"
    (entry,) = answer.json()["entries"]
    assert len(bytes.fromhex(entry.pop("hash"))) == 32
    assert len(entry.pop("run")) == 36
    assert entry == {
        "seq": 2,
        "at": "2020-09-13T12:26:47.000001Z",
        "kind": "synced",
        "namespace": "ns",
        "split": "split",
        "service": "web",
        "outcome": "patched",
        "actor": "kubectl",
        "reconcile": "r1",
        "resource_version": "12",
        "detail": {"weight": 12345678901234567890, "small": 0.1},
        "documents": [DOCUMENT.digest.hex()],
    }


async def test_the_newest_come_first_and_the_cursor_leads_through_all(port: Port) -> None:
    await port.write([observed(n) for n in range(1, 251)])
    seen: list[str] = []
    query = "kind=observed"
    while True:
        page = (await port.get(query)).json()
        seen += [entry["split"] for entry in page["entries"]]
        if page["next"] is None:
            break
        query = f"kind=observed&cursor={page['next']}"
    assert seen == [f"s{n}" for n in range(250, 0, -1)]


@pytest.mark.parametrize("limit", [1, 99, 100, 101, 250, 1000])
async def test_the_limit_holds_however_the_page_is_read(port: Port, limit: int) -> None:
    await port.write([observed(n) for n in range(1, 251)])
    page = (await port.get(f"kind=observed&limit={limit}")).json()
    assert len(page["entries"]) == min(limit, 250)
    assert (page["next"] is None) == (limit >= 250)


async def test_rows_that_come_meanwhile_do_not_move_the_pages(port: Port) -> None:
    await port.write([observed(n) for n in range(1, 5)])
    first = (await port.get("kind=observed&limit=2")).json()
    await port.write([observed(5)])
    assert await port.names(f"kind=observed&limit=2&cursor={first['next']}") == ["s2", "s1"]


async def test_filters_choose_rows(port: Port) -> None:
    await port.write(
        [
            Entry(kind="observed", at=START + 1, namespace="a", split="x", service="web"),
            Entry(kind="synced", at=START + 2_000_000, namespace="a", split="y", outcome="failed"),
            Entry(kind="observed", at=START + 3_000_000, namespace="b", split="z", service="web"),
        ]
    )
    assert await port.names("namespace=a") == ["y", "x"]
    assert await port.names("service=web") == ["z", "x"]
    assert await port.names("split=z") == ["z"]
    assert await port.names("outcome=failed") == ["y"]
    assert await port.names("kind=observed&namespace=a") == ["x"]
    assert await port.names("since=2020-09-13T12:26:42Z") == ["z", "y"]
    assert await port.names("until=2020-09-13T12:26:42Z&service=web") == ["x"]
    assert await port.names("since=-1h") == []


@pytest.mark.parametrize(
    "actor", ["My Operator", "работник", 'per%cent "and" it\'s; --', "a+b&c=d#e/f?", "m" * 128]
)
async def test_a_manager_of_any_name_is_found(port: Port, actor: str) -> None:
    entry = Entry(kind="observed", at=START, split="s", actor=actor)
    await port.write([entry, observed(1)])
    query = urlencode({"actor": actor})
    assert await port.names(query) == ["s"]
    await port.index()
    assert await port.names(query) == ["s"]


async def test_a_page_of_large_entries_ends_early_and_goes_on_later(port: Port) -> None:
    detail = '{"text":"' + "x" * 30_000 + '"}'
    await port.write([observed(n, detail) for n in range(1, 151)])
    query, splits, pages = "kind=observed&limit=1000", [], 0
    cursor: str | None = ""
    while cursor is not None:
        page = (await port.get(f"{query}&cursor={cursor}" if cursor else query)).json()
        assert 0 < len(page["entries"]) < 100
        splits += [entry["split"] for entry in page["entries"]]
        cursor, pages = page["next"], pages + 1
    assert splits == [f"s{n}" for n in range(150, 0, -1)]
    assert pages > 1


async def test_a_wrong_question_is_a_problem_with_every_field(port: Port) -> None:
    answer = await port.get("limit=0&colour=red")
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == ["limit", "colour"]


@pytest.mark.parametrize("cursor", ["v1.<0", "v1.>1", "v1.<999999999999999999"])
async def test_every_cursor_of_the_declared_form_is_taken(port: Port, cursor: str) -> None:
    assert (await port.get(f"cursor={cursor}")).status == 200


async def test_the_oldest_come_first_when_asked_and_the_way_leads_back(port: Port) -> None:
    await port.write([observed(n) for n in range(1, 10)])
    first = (await port.get("kind=observed&order=oldest&limit=4")).json()
    assert [entry["split"] for entry in first["entries"]] == ["s1", "s2", "s3", "s4"]
    query = "kind=observed&order=oldest&limit=4&cursor="
    second = (await port.get(query + first["next"])).json()
    assert [entry["split"] for entry in second["entries"]] == ["s5", "s6", "s7", "s8"]
    assert await port.names(query + second["previous"]) == ["s1", "s2", "s3", "s4"]


async def test_words_are_found_before_they_are_indexed_and_after(port: Port) -> None:
    refused = Entry(
        kind="synced", at=START, split="s", outcome="failed", detail=b'{"message":"Disk Full!"}'
    )
    await port.write([refused, observed(1)])
    assert await port.names("text=full%20disk") == ["s"]
    await port.index()
    assert await port.names("text=%22disk%20full%22") == ["s"]
    assert await port.names("text=%22full%20disk%22") == []


async def test_one_entry_its_document_and_its_run_are_found_by_name(port: Port) -> None:
    await port.write([Entry(kind="observed", at=START, split="s", documents=(DOCUMENT,))])
    (entry,) = (await port.get("split=s")).json()["entries"]
    found = await port.ask(f"/api/v1/entries/{entry['run']}/{entry['seq']}")
    assert found.json() == entry
    body = await port.ask(f"/api/v1/documents/{entry['documents'][0]}")
    assert body.body == BODY
    assert body.headers["content-type"] == "application/json"
    (run,) = (await port.ask("/api/v1/runs")).json()["runs"]
    assert (run["id"], run["first"], run["last"], run["ended"]) == (entry["run"], 1, 2, None)
    assert (run["version"], run["host"], run["settings"]) == ("1", "test", {})


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/api/v1/entries/{RUN}/1", 404),
        (f"/api/v1/entries/{RUN}/0", 400),
        ("/api/v1/entries/x/1", 400),
        ("/api/v1/documents/" + "0" * 64, 404),
        ("/api/v1/documents/" + "0" * 63, 400),
        ("/api/v1/runs?limit=1", 400),
    ],
)
async def test_what_is_not_there_and_what_can_not_be_is_a_problem(
    port: Port, path: str, status: int
) -> None:
    answer = await port.ask(path)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_log_is_proved_up_to_an_anchor_and_counted(port: Port) -> None:
    await port.write([observed(n) for n in range(1, 4)])
    verdict = (await port.ask("/api/v1/verify")).json()
    assert (verdict["proved"], verdict["rows"], verdict["problem"]) == (True, 4, None)
    await port.write([observed(5)])
    again = (await port.ask(f"/api/v1/verify?anchor={verdict['anchor']}")).json()
    assert (again["proved"], again["rows"]) == (True, 5)
    both = f"{verdict['anchor']},{again['anchor']}"
    assert (await port.ask(f"/api/v1/verify?anchor={both}")).json()["proved"]
    wrong = verdict["anchor"].replace(":4:", ":9:")
    assert "cut off" in (await port.ask(f"/api/v1/verify?anchor={wrong}")).json()["problem"]
    missing = (await port.ask(f"/api/v1/verify?anchor={verdict['anchor']},{wrong}")).json()
    assert "cut off" in missing["problem"]
    assert (await port.ask("/api/v1/verify?anchor=x")).status == 400
    many = [",".join([verdict["anchor"]] * count) for count in (30, 31)]
    assert [(await port.ask(f"/api/v1/verify?anchor={a}")).status for a in many] == [200, 400]
    stats = (await port.ask("/api/v1/stats")).json()
    assert (stats["rows"], stats["runs"], stats["unindexed"], stats["gaps"]) == (5, 1, 5, [])
    assert stats["newest"] == "2020-09-13T12:26:45.000000Z"
    assert stats["bytes"] > 4096
    await port.index()
    assert (await port.ask("/api/v1/stats")).json()["unindexed"] == 0


async def test_a_profile_that_is_not_known_differs_from_one_that_is(port: Port) -> None:
    gone = b'{"type":"deleted","object":"serviceprofiles"}'
    await port.write([Entry(kind="observed", at=START, namespace="n", service="s", detail=gone)])
    path = "/api/v1/profiles/n/s/diff?from=2000-01-01T00:00:00Z"
    assert (await port.ask(path)).json()["differs"]
    neither = (await port.ask(f"{path}&to=2000-01-02T00:00:00Z")).json()
    assert (neither["differs"], neither["before"]["entry"], neither["after"]["entry"]) == (
        *(False, None, None),
    )
    swapped = (await port.ask("/api/v1/profiles/n/s/diff?from=-0s&to=2000-01-01T00:00:00Z")).json()
    assert swapped["differs"]
    assert swapped["before"]["entry"]["seq"] == 2


async def test_a_log_that_is_not_there_is_a_503(serve: Serve, tmp_path: Path) -> None:
    threads = set(threading.enumerate())
    server = await serve(log=Reader(url=str(tmp_path / "none.db")))
    for path in ("entries", "verify", "export"):
        answer = await ask(server.port, f"/api/v1/{path}")
        assert answer.status == 503
        assert answer.json()["detail"].startswith("The log can't be read now: audit database")
        assert answer.headers["retry-after"] == "5"
    # A driver that could not connect ends its thread through the loop, which must live so long.
    for thread in set(threading.enumerate()) - threads:
        await asyncio.to_thread(thread.join, 5)


async def test_a_log_that_fails_for_now_is_a_503(serve: Serve) -> None:
    class Locked(MemoryLog):
        async def entries(self, filters: Filters, **paging: Any) -> Page:
            raise Retryable("the database is locked")

    server = await serve(log=Locked())
    answer = await ask(server.port, "/api/v1/entries")
    assert answer.status == 503
    assert answer.json()["detail"] == "The log can't be read now: the database is locked."


async def test_numbers_leave_as_they_were_stored_however_large(serve: Serve) -> None:
    detail = '{"weight": 1e400, "n": 12345678901234567890.10}'
    server = await serve(log=MemoryLog([row(1, detail=detail)]))
    answer = await ask(server.port, "/api/v1/entries")
    assert f'"detail":{detail}'.encode() in answer.body
