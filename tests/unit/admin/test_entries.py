"""GET /api/v1/entries."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from reactor.admin.filters import Question
from reactor.errors import Retryable
from tests.unit.admin.client import ask
from tests.unit.admin.conftest import Serve
from tests.unit.admin.parts import RUN, MemoryLog, Rows, row


async def test_an_entry_has_digests_in_hex_its_time_as_text_and_its_detail_as_an_object(
    serve: Serve,
) -> None:
    only = row(
        7,
        kind="synced",
        namespace="ns",
        split="split",
        service="web",
        outcome="patched",
        actor="kubectl",
        reconcile="r1",
        resource_version="12",
        detail='{"weight": 1e400, "n": 12345678901234567890}',
        documents=b"\x01" * 32 + b"\xab" * 32,
    )
    server = await serve(log=MemoryLog([only]))
    answer = await ask(server.port, "/api/v1/entries")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    # Numbers leave as they were stored, however large.
    assert b'"detail":{"weight": 1e400, "n": 12345678901234567890}' in answer.body
    assert _json(answer.body.replace(b"1e400", b"1")) == {
        "entries": [
            {
                "run": RUN,
                "seq": 7,
                "at": "2020-09-13T12:26:47.000000Z",
                "kind": "synced",
                "namespace": "ns",
                "split": "split",
                "service": "web",
                "outcome": "patched",
                "actor": "kubectl",
                "reconcile": "r1",
                "resource_version": "12",
                "detail": {"weight": 1, "n": 12345678901234567890},
                "documents": ["01" * 32, "ab" * 32],
                "hash": only.hash.hex(),
            }
        ],
        "next": None,
    }


async def test_the_newest_come_first_and_the_cursor_leads_through_all(serve: Serve) -> None:
    server = await serve(log=MemoryLog([row(n) for n in range(1, 251)]))
    seen: list[int] = []
    target = "/api/v1/entries"
    while True:
        page = (await ask(server.port, target)).json()
        seen += [entry["seq"] for entry in page["entries"]]
        if page["next"] is None:
            break
        target = f"/api/v1/entries?cursor={page['next']}"
    assert seen == list(range(250, 0, -1))


@pytest.mark.parametrize("limit", [1, 99, 100, 101, 250, 1000])
async def test_the_limit_holds_across_slices(serve: Serve, limit: int) -> None:
    server = await serve(log=MemoryLog([row(n) for n in range(1, 251)]))
    page = (await ask(server.port, f"/api/v1/entries?limit={limit}")).json()
    assert len(page["entries"]) == min(limit, 250)
    assert (page["next"] is None) == (limit >= 250)


async def test_a_page_of_large_entries_ends_early_and_goes_on_later(serve: Serve) -> None:
    detail = '{"text":"' + "x" * 30_000 + '"}'
    server = await serve(log=MemoryLog([row(n, detail=detail) for n in range(1, 151)]))
    first = await ask(server.port, "/api/v1/entries?limit=1000")
    assert len(first.json()["entries"]) == 100
    second = await ask(server.port, f"/api/v1/entries?limit=1000&cursor={first.json()['next']}")
    assert [entry["seq"] for entry in second.json()["entries"]] == list(range(50, 0, -1))
    assert second.json()["next"] is None


async def test_filters_reach_the_log(serve: Serve) -> None:
    rows = [row(n, kind="synced" if n % 2 else "observed", split="a") for n in range(1, 10)]
    server = await serve(log=MemoryLog(rows))
    page = (await ask(server.port, "/api/v1/entries?kind=synced&split=a&limit=2")).json()
    assert [entry["seq"] for entry in page["entries"]] == [9, 7]
    since = "2020-09-13T12:26:48Z"
    page = (await ask(server.port, f"/api/v1/entries?since={since}")).json()
    assert [entry["seq"] for entry in page["entries"]] == [9, 8]
    page = (await ask(server.port, f"/api/v1/entries?until={since}&limit=1")).json()
    assert [entry["seq"] for entry in page["entries"]] == [7]


async def test_a_wrong_question_is_a_problem_with_every_field(serve: Serve) -> None:
    server = await serve()
    answer = await ask(server.port, "/api/v1/entries?limit=0&colour=red")
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == ["limit", "colour"]


async def test_a_log_that_cannot_be_read_now_is_a_503(serve: Serve) -> None:
    class Locked:
        async def entries(self, question: Question, *, limit: int, cursor: str | None) -> Rows:
            raise Retryable("the database is locked")

    server = await serve(log=Locked())
    answer = await ask(server.port, "/api/v1/entries")
    assert answer.status == 503
    assert answer.json()["detail"] == "The log can't be read now: the database is locked"
    assert answer.headers["retry-after"] == "5"


async def test_other_work_goes_on_while_a_large_page_is_read(serve: Serve) -> None:
    server = await serve(log=MemoryLog([row(n) for n in range(1, 1001)]))
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count())
    answer = await ask(server.port, "/api/v1/entries?limit=1000")
    counting.cancel()
    await asyncio.gather(counting, return_exceptions=True)
    assert len(answer.json()["entries"]) == 1000
    assert turns >= 10


def _json(body: bytes) -> Any:
    return msgspec.json.decode(body)
