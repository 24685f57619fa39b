"""Starting, stopping, and clients that behave badly."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
import uvloop

from reactor.admin.limits import Limits
from reactor.admin.server import Server
from reactor.audit.query import Filters, Page
from reactor.errors import Fatal
from tests.unit.admin import parts
from tests.unit.admin.client import ask, send
from tests.unit.admin.conftest import Serve
from tests.unit.admin.parts import MemoryLog, row


class StuckLog(MemoryLog):
    """A log that never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def entries(self, filters: Filters, **paging: Any) -> Page:
        self.asked.set()
        never: asyncio.Future[Page] = asyncio.get_running_loop().create_future()
        return await never


class BrokenLog(MemoryLog):
    """A log with a fault."""

    async def entries(self, filters: Filters, **paging: Any) -> Page:
        raise KeyError("a fault with a s3cret in it")


LOOPS: list[Callable[[], asyncio.AbstractEventLoop]] = [
    asyncio.new_event_loop,
    uvloop.new_event_loop,
]


@pytest.mark.parametrize("loop", LOOPS, ids=["asyncio", "uvloop"])
def test_stop_takes_less_than_a_second_with_requests_and_connections_open(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def run() -> None:
        before = asyncio.all_tasks()
        log = StuckLog()
        server = parts.server(log)
        await server.start()
        idle = await asyncio.open_connection("127.0.0.1", server.port)
        half = await asyncio.open_connection("127.0.0.1", server.port)
        half[1].write(b"GET /ping HTTP/1.1\r\nHost:")
        stuck = await asyncio.open_connection("127.0.0.1", server.port)
        stuck[1].write(b"GET /api/v1/entries HTTP/1.1\r\nHost: a\r\n\r\n")
        await asyncio.wait_for(log.asked.wait(), 5)
        start = time.monotonic()
        await server.stop()
        assert time.monotonic() - start < 10
        assert asyncio.all_tasks() == before
        for reader, writer in (idle, half, stuck):
            assert await reader.read() == b""
            writer.close()
        with pytest.raises(OSError, match=r"(?i)refused|failed"):
            await asyncio.open_connection("127.0.0.1", server.port)

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(run())


async def test_an_answer_in_flight_is_finished_before_the_end(serve: Serve) -> None:
    release = asyncio.Event()

    class SlowLog(StuckLog):
        async def entries(self, filters: Filters, **paging: Any) -> Page:
            self.asked.set()
            await release.wait()
            return Page((row(1),), None, None)

    log = SlowLog()
    server = await serve(log=log)
    async with asyncio.TaskGroup() as group:
        answer = group.create_task(ask(server.port, "/api/v1/entries"))
        await log.asked.wait()
        stopping = group.create_task(server.stop())
        release.set()
    assert answer.result().status == 200
    assert stopping.done()


async def test_stop_is_harmless_before_the_start_and_when_repeated(serve: Serve) -> None:
    server = await serve()
    await server.stop()
    await server.stop()


async def test_a_used_port_is_one_line_that_says_what_to_do(serve: Serve) -> None:
    server = await serve()
    second = parts.server(MemoryLog(), port=server.port)
    with pytest.raises(Fatal, match=f"port {server.port} is in use.*-metrics-addr") as caught:
        await second.start()
    assert "\n" not in str(caught.value)
    assert caught.value.code == 1


async def test_signals_stay_with_who_had_them(serve: Serve) -> None:
    before = [signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT)]
    await serve()
    assert [signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT)] == before


async def test_two_requests_on_one_connection_are_both_answered(serve: Serve) -> None:
    server = await serve()
    answer = await send(
        server.port,
        b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n"
        b"GET /live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    )
    assert answer.body.startswith(b"pong\n")
    assert answer.body.endswith(b"ok\n")


async def test_a_client_that_is_slow_to_ask_is_dropped(serve: Serve) -> None:
    server = await serve(limits=Limits(head_seconds=0.05))
    assert await _until_closed(server.port, b"GET /ping HTTP/1.1\r\nHost:") == b""
    assert await _until_closed(server.port, b"") == b""


async def test_a_second_request_that_comes_slowly_is_dropped_too(serve: Serve) -> None:
    server = await serve(limits=Limits(head_seconds=0.05))
    async with asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"pong\n")
        writer.write(b"GET /ping HT")
        assert await _all(reader) == b""
        writer.close()


async def test_a_client_that_waits_too_long_between_requests_is_dropped(serve: Serve) -> None:
    server = await serve(limits=Limits(idle_seconds=0))
    got = await _until_closed(server.port, b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n")
    assert got.endswith(b"pong\n")


async def test_an_answer_that_takes_too_long_is_given_up(serve: Serve) -> None:
    log = StuckLog()
    server = await serve(log=log, limits=Limits(answer_seconds=0.05))
    request = b"GET /api/v1/entries HTTP/1.1\r\nHost: a\r\n\r\n"
    assert await _until_closed(server.port, request) == b""


async def test_a_client_that_does_not_take_its_answer_is_dropped(serve: Serve) -> None:
    rows = [row(n, detail='{"text":"' + "x" * 30_000 + '"}') for n in range(1, 101)]
    server = await serve(log=MemoryLog(rows), limits=Limits(answer_seconds=0.2, idle_seconds=0))
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", server.port))
        sock.sendall(b"GET /api/v1/entries HTTP/1.1\r\nHost: a\r\n\r\n")
        for wanted in (1, 0):
            async with asyncio.timeout(5):
                await _until(server, connections=wanted)


async def test_connections_above_the_limit_are_closed_at_once(serve: Serve) -> None:
    server = await serve(limits=Limits(connections=1))
    _, held = await asyncio.open_connection("127.0.0.1", server.port)
    assert await _until_closed(server.port, b"") == b""
    held.close()
    await held.wait_closed()


async def test_a_long_url_is_refused(serve: Serve) -> None:
    server = await serve()
    answer = await ask(server.port, "/ping?" + "a" * 5000)
    assert answer.status == 414
    assert answer.json()["detail"] == "The URL is longer than 4096 bytes."


async def test_a_long_body_is_refused_unread(serve: Serve) -> None:
    server = await serve()
    answer = await ask(server.port, "/ping", headers={"Content-Length": "70000"})
    assert answer.status == 413
    assert answer.headers["connection"] == "close"


async def test_a_body_closes_the_connection_after_the_answer(serve: Serve) -> None:
    server = await serve()
    raw = b"GET /ping HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    got = await _until_closed(server.port, raw)
    assert b"connection: close" in got
    assert got.endswith(b"pong\n")


@pytest.mark.parametrize(
    "raw", [b"no http\r\n\r\n", b"GET /ping HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 40_000]
)
async def test_what_is_no_http_is_told_so_as_a_problem(serve: Serve, raw: bytes) -> None:
    server = await serve()
    answer = await send(server.port, raw)
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 400


async def test_an_upgrade_to_websockets_is_not_taken(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    server = await serve()
    headers = {"Connection": "Upgrade, close", "Upgrade": "websocket"}
    lines = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
    raw = f"GET /ping HTTP/1.1\r\nHost: a\r\n{lines}\r\n".encode()
    assert (await _until_closed(server.port, raw)).startswith(b"HTTP/1.1 200")
    assert not caplog.records


async def test_a_fault_is_a_problem_without_its_words_and_one_log_record(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    server = await serve(log=BrokenLog())
    answer = await ask(server.port, "/api/v1/entries", headers={"Authorization": "Bearer tok3n"})
    assert answer.status == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "s3cret" not in answer.text
    (record,) = caplog.records
    assert record.getMessage() == "admin request failed"
    assert "tok3n" not in caplog.text


async def test_requests_leave_no_access_log(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    server = await serve()
    await ask(server.port, "/ping")
    assert [r for r in caplog.records if not r.name.startswith("asyncio")] == []


async def test_unknown_paths_and_methods_are_problems(serve: Serve) -> None:
    server = await serve()
    answer = await ask(server.port, "/nothing")
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json() == {
        "title": "Not Found",
        "status": 404,
        "detail": "There is no /nothing; /openapi.json lists the paths.",
    }
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"):
        answer = await ask(server.port, "/ping", method=method)
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
        assert answer.json()["title"] == "Method Not Allowed"


async def test_clients_that_reset_leave_nothing_behind(serve: Serve) -> None:
    server = await serve()
    before = asyncio.all_tasks()
    for _ in range(20):
        sock = socket.create_connection(("127.0.0.1", server.port))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        sock.close()
    assert (await ask(server.port, "/ping")).status == 200
    if left := asyncio.all_tasks() - before:
        assert not (await asyncio.wait(left, timeout=5))[1]


async def _until(server: Server, *, connections: int) -> None:
    changed = asyncio.Event()
    while server.connections != connections:
        asyncio.get_running_loop().call_later(0.005, changed.set)
        await changed.wait()
        changed.clear()


async def _until_closed(port: int, raw: bytes) -> bytes:
    async with asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(raw)
            return re.sub(
                rb"(?i)\r\nConnection: close", b"\r\nconnection: close", await _all(reader)
            )
        finally:
            writer.close()


async def _all(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
