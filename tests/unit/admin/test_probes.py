"""The open paths."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families

from tests.unit.admin.client import ask
from tests.unit.admin.conftest import Serve
from tests.unit.admin.parts import Reasons


async def test_ping_says_pong(serve: Serve) -> None:
    server = await serve()
    answer = await ask(server.port, "/ping")
    assert (answer.status, answer.text) == (200, "pong\n")


@pytest.mark.parametrize("path", ["/ping", "/live", "/ready"])
async def test_probes_answer_in_plain_text_that_nobody_may_store(serve: Serve, path: str) -> None:
    server = await serve()
    answer = await ask(server.port, path)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["date"].endswith(" GMT")


async def test_ready_names_each_reason_until_there_is_none(serve: Serve) -> None:
    waiting = Reasons("the CRD trafficsplits is missing", "another process holds the log")
    server = await serve(readiness=waiting)
    answer = await ask(server.port, "/ready")
    assert answer.status == 503
    assert answer.text.splitlines() == waiting.given
    waiting.given.clear()
    answer = await ask(server.port, "/ready")
    assert (answer.status, answer.text) == (200, "ok\n")


async def test_ready_tells_what_does_not_work_although_it_is(serve: Serve) -> None:
    server = await serve(readiness=Reasons(remarks=["no Events"]))
    answer = await ask(server.port, "/ready")
    assert (answer.status, answer.text) == (200, "ok\nbut: no Events\n")


async def test_live_is_ok_while_not_ready(serve: Serve) -> None:
    server = await serve(readiness=Reasons("waits"))
    assert (await ask(server.port, "/live")).text == "ok\n"


async def test_metrics_are_those_of_the_registry(serve: Serve) -> None:
    registry = CollectorRegistry()
    Counter("first", "One.", registry=registry).inc(2)
    Counter("second", "Two.", ["of"], registry=registry).labels("it").inc()
    server = await serve(registry=registry)
    answer = await ask(server.port, "/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = {
        sample.name: sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert samples["first_total"] == 2
    assert samples["second_total"] == 1


@pytest.mark.parametrize("path", ["/ping", "/live", "/ready", "/metrics"])
async def test_a_head_request_gets_the_head_of_the_answer(serve: Serve, path: str) -> None:
    server = await serve()
    answer = await ask(server.port, path, method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
