"""Queries to a real Prometheus, and what becomes of answers that none gives."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from aiohttp import web

from reactor.stat.figures import Figures
from reactor.stat.prometheus import NoFigures, Prometheus
from reactor.stat.query import Asked
from tests.cluster.ports import free_port
from tests.cluster.prometheus import Prometheus as Server
from tests.cluster.proxies import Flow
from tests.unit.kube.loopback import Handler, serving

FASTEST = {0.5: 0.5, 0.95: 0.95, 0.99: 0.99}


async def ask(url: str, *splits: Asked, window: float = 60.0) -> dict[str, Figures]:
    """By leaf, for splits whose leaves have different names."""
    async with Prometheus(url=url, environ={}) as prometheus:
        found = await prometheus.figures(splits, window=window)
    return {leaf[1]: each for leaves in found.values() for leaf, each in leaves.items()}


@pytest.fixture
def namespace() -> str:
    return f"p-{uuid.uuid4().hex[:10]}"


async def test_what_proxies_of_all_callers_and_ports_count_is_added_up(
    prometheus: Server, namespace: str
) -> None:
    await prometheus.scrape(
        Flow(namespace, "web", rps=2.0),
        Flow(namespace, "web", rps=1.0, pod="other-0"),
        Flow(namespace, "web", rps=1.0, port=9999, classification="failure"),
    )
    found = await ask(prometheus.url, Asked(namespace, "split", ("web",)))
    assert found == {"web": Figures(0.75, 4.0, FASTEST)}


async def test_only_what_is_sent_to_these_services_counts(
    prometheus: Server, namespace: str
) -> None:
    await prometheus.scrape(
        Flow(namespace, "web"),
        Flow(namespace, "web", direction="inbound", rps=7.0),
        Flow(namespace, "web-2", rps=7.0),
        Flow(namespace, "a-web", rps=7.0),
        Flow(f"{namespace}x", "web", rps=7.0),
        Flow(namespace, "mail", authority="example.com", rps=7.0),
    )
    found = await ask(prometheus.url, Asked(namespace, "split", ("web", "mail")))
    assert found == {"web": Figures(1.0, 0.5, FASTEST)}


async def test_proxies_that_name_the_apex_instead_of_the_leaf_are_understood(
    prometheus: Server, namespace: str
) -> None:
    apex = f"web.{namespace}.svc.cluster.local"
    await prometheus.scrape(Flow(namespace, "web-v1", authority=apex))
    found = await ask(prometheus.url, Asked(namespace, "split", ("web", "web-v1", "web-v2")))
    assert found == {"web-v1": Figures(1.0, 0.5, FASTEST)}


async def test_latencies_are_estimated_within_the_proxies_buckets(
    prometheus: Server, namespace: str
) -> None:
    await prometheus.scrape(Flow(namespace, "web", ms=20))
    found = await ask(prometheus.url, Asked(namespace, "split", ("web",)), window=30.0)
    assert {part: round(ms, 6) for part, ms in found["web"].latency.items()} == {
        0.5: 15.0,
        0.95: 19.5,
        0.99: 19.9,
    }


async def test_more_splits_than_one_query_takes_are_all_answered(
    prometheus: Server, namespace: str
) -> None:
    names = [f"web-{number}" for number in range(150)]
    await prometheus.scrape(Flow(namespace, names[0]), Flow(namespace, names[-1], rps=3.0))
    splits = [Asked(namespace, f"split-{name}", (name,)) for name in names]
    found = await ask(prometheus.url, *splits)
    assert {name: each.rps for name, each in found.items()} == {names[0]: 0.5, names[-1]: 3.0}


async def test_a_query_that_prometheus_refuses_is_told_in_its_words(prometheus: Server) -> None:
    with pytest.raises(NoFigures, match=r"Prometheus at http://.*: .*duration"):
        await ask(prometheus.url, Asked("ns", "split", ("web",)), window=0.0)


async def test_nobody_there_is_one_line(namespace: str) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    with pytest.raises(NoFigures) as caught:
        await ask(url, Asked(namespace, "split", ("web",)))
    assert (
        str(caught.value) == f"Prometheus at {url.rstrip('/')}: can't connect: Connection refused"
    )


async def page(request: web.Request) -> web.Response:
    return web.Response(status=404, text="<html>nothing here</html>")


async def scalar(request: web.Request) -> web.Response:
    data = {"resultType": "scalar", "result": [0, "1"]}
    return web.json_response({"status": "success", "data": data})


async def strange(request: web.Request) -> web.Response:
    return web.json_response({"status": "success", "data": {"resultType": "vector", "result": 1}})


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(17):
        await response.write(b" " * 2**20)
    return response


async def cut(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@pytest.mark.parametrize(
    ("handler", "says"),
    [
        (page, "404, and no Prometheus answers so: is the URL right?"),
        (scalar, "answered 200 without a vector"),
        (strange, "200, and no Prometheus answers so: is the URL right?"),
        (endless, "answered more than 16 MiB"),
        (cut, "Server disconnected"),
    ],
)
async def test_an_answer_that_no_prometheus_gives_is_one_line(handler: Handler, says: str) -> None:
    async with serving(handler) as server:
        with pytest.raises(NoFigures) as caught:
            await ask(server.url, Asked("ns", "split", ("web",)))
    assert str(caught.value) == f"Prometheus at {server.url}: {says}"


async def test_the_password_of_a_url_is_sent_but_never_shown() -> None:
    said: list[str] = []

    async with serving(page) as server:
        url = server.url.replace("http://", "http://jane:secret@") + "/prefix/"
        async with Prometheus(url=url, environ={}, said=said.append) as prometheus:
            with pytest.raises(NoFigures) as caught:
                await prometheus.figures([Asked("ns", "split", ("web",))], window=60.0)
    assert server.requests[0].path == "/prefix/api/v1/query"
    assert server.requests[0].headers["Authorization"].startswith("Basic ")
    assert "secret" not in str(caught.value) + "".join(said)


async def test_few_queries_are_under_way_at_once() -> None:
    most, now = 0, 0

    async def slow(request: web.Request) -> web.Response:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        return web.json_response(
            {"status": "success", "data": {"resultType": "vector", "result": []}}
        )

    splits = [Asked("ns", f"split-{n}", (f"web-{n}",)) for n in range(500)]
    async with serving(slow) as server:
        assert await ask(server.url, *splits) == {}
    assert most == 4
    assert len(server.requests) == 20
