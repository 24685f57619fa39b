"""The fault script: every fault happens when it is told to, and says how often it did."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from reactor.sandbox.server import Sandbox
from tests.unit.sandbox.client import PROFILES, SPLITS, Client, configmap, split


async def test_a_response_comes_in_the_servers_stead_and_nothing_takes_effect(
    sandbox: Sandbox, client: Client
) -> None:
    rule = sandbox.faults.respond(
        429, verb="create", resource="trafficsplits", times=1, headers={"Retry-After": "7"}
    )
    status, body = await client.send("POST", SPLITS, split("a"))
    assert (status, body["reason"]) == (429, "TooManyRequests")
    assert sandbox.cluster.count("trafficsplits") == 0
    assert (await client.send("POST", SPLITS, split("a")))[0] == 201
    assert rule.fired == 1


async def test_retry_after_reaches_the_client(sandbox: Sandbox) -> None:
    sandbox.faults.respond(429, headers={"Retry-After": "7"})
    async with Client.connect(sandbox) as client, client._session.get(sandbox.url) as response:
        assert response.headers["Retry-After"] == "7"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 500, 503, 504])
async def test_each_status_is_a_status_object(
    sandbox: Sandbox, client: Client, status: int
) -> None:
    sandbox.faults.respond(status, resource="trafficsplits")
    code, body = await client.get(SPLITS)
    assert code == body["code"] == status
    assert body["kind"] == "Status"


async def test_a_rule_can_skip_and_match_by_name(sandbox: Sandbox, client: Client) -> None:
    rule = sandbox.faults.respond(500, verb="get", name="b", skip=1, times=1)
    sandbox.cluster.create(split("a"))
    sandbox.cluster.create(split("b"))
    codes = [(await client.get(f"{SPLITS}/{name}"))[0] for name in ("b", "a", "b", "b")]
    assert codes == [200, 200, 500, 200]
    assert rule.fired == 1


async def test_a_drop_before_the_effect_leaves_nothing(sandbox: Sandbox, client: Client) -> None:
    sandbox.faults.drop(verb="create", times=1)
    with pytest.raises(aiohttp.ClientError):
        await client.send("POST", SPLITS, split("a"))
    assert sandbox.cluster.count("trafficsplits") == 0


async def test_a_drop_after_the_effect_loses_the_answer_alone(
    sandbox: Sandbox, client: Client
) -> None:
    sandbox.faults.drop(after=True, verb="create", times=1)
    with pytest.raises(aiohttp.ClientError):
        await client.send("POST", SPLITS, split("a"))
    assert sandbox.cluster.count("trafficsplits") == 1


async def test_an_answer_breaks_off_halfway(sandbox: Sandbox, client: Client) -> None:
    sandbox.cluster.create(split("a"))
    rule = sandbox.faults.drop(halfway=True, verb="list", times=1)
    with pytest.raises(aiohttp.ClientPayloadError):
        await client.get(SPLITS)
    assert (await client.get(SPLITS))[0] == 200
    assert rule.fired == 1


async def test_a_hidden_resource_is_not_found_and_loses_nothing(
    sandbox: Sandbox, client: Client
) -> None:
    sandbox.cluster.create(split("a"))
    async with client.watch(SPLITS, resourceVersion=str(sandbox.cluster.version)) as stream:
        sandbox.faults.hide("trafficsplits")
        assert await stream.rest() == b""
    assert await client.get(SPLITS) == (404, {"text": "404 page not found\n"})
    assert (await client.get("/apis/split.smi-spec.io/v1alpha2"))[0] == 404
    sandbox.faults.show("trafficsplits")
    assert (await client.get(f"{SPLITS}/a"))[0] == 200


async def test_a_gate_holds_before_the_effect(sandbox: Sandbox, client: Client) -> None:
    gate = sandbox.faults.hold(verb="create", resource="trafficsplits")
    sent = asyncio.create_task(client.send("POST", SPLITS, split("a")))
    await gate.until(1)
    assert sandbox.cluster.count("trafficsplits") == 0
    assert gate.waiting == 1
    gate.open()
    assert (await sent)[0] == 201


async def test_an_echo_comes_before_its_answer(sandbox: Sandbox, client: Client) -> None:
    sandbox.cluster.create(split("a"))
    gate = sandbox.faults.hold(after=True, verb="patch")
    async with client.watch(SPLITS, resourceVersion=str(sandbox.cluster.version)) as stream:
        sent = asyncio.create_task(client.merge(f"{SPLITS}/a", {"spec": {"service": "x"}}))
        assert await stream.brief() == ("MODIFIED", "a")
        assert not sent.done()
        gate.open()
        assert (await sent)[0] == 200


async def test_requests_pass_a_gate_one_by_one(sandbox: Sandbox, client: Client) -> None:
    gate = sandbox.faults.hold(verb="create", resource="trafficsplits")
    first = asyncio.create_task(client.send("POST", SPLITS, split("a")))
    await gate.until(1)
    second = asyncio.create_task(client.send("POST", SPLITS, split("b")))
    await gate.until(2)
    gate.open_one()
    assert (await first)[0] == 201
    assert not second.done()
    gate.open()
    assert (await second)[0] == 201


async def test_a_stale_list_shows_an_earlier_state(sandbox: Sandbox, client: Client) -> None:
    sandbox.cluster.create(split("a"))
    rule = sandbox.faults.stale("trafficsplits")
    sandbox.cluster.remove("trafficsplits", "a", "default")
    sandbox.cluster.create(split("b"))
    _, stale = await client.get(SPLITS)
    assert [item["metadata"]["name"] for item in stale["items"]] == ["a"]
    assert (await client.get(f"{SPLITS}/b"))[0] == 404
    rule.lift()
    _, fresh = await client.get(SPLITS)
    assert [item["metadata"]["name"] for item in fresh["items"]] == ["b"]


async def test_a_watch_lags_until_it_is_released(sandbox: Sandbox, client: Client) -> None:
    held = sandbox.faults.hold_events("trafficsplits")
    async with (
        client.watch(SPLITS, resourceVersion=str(sandbox.cluster.version)) as splits,
        client.watch(PROFILES, resourceVersion=str(sandbox.cluster.version)) as profiles,
    ):
        for name in ("a", "b", "c"):
            await client.create(SPLITS, split(name))
        assert held.held == held.fired == 3
        await client.create(
            PROFILES,
            {
                "apiVersion": "linkerd.io/v1alpha2",
                "kind": "ServiceProfile",
                "metadata": {"name": "p"},
                "spec": {},
            },
        )
        assert await profiles.brief() == ("ADDED", "p")
        held.release(1)
        assert await splits.brief() == ("ADDED", "a")
        assert held.held == 2
        held.lift()
        assert [await splits.brief() for _ in range(2)] == [("ADDED", "b"), ("ADDED", "c")]


async def test_events_come_twice(sandbox: Sandbox, client: Client) -> None:
    tap = sandbox.faults.repeat_events("trafficsplits")
    async with client.watch(SPLITS, resourceVersion=str(sandbox.cluster.version)) as stream:
        sandbox.cluster.create(split("a"))
        assert [await stream.brief() for _ in range(2)] == [("ADDED", "a")] * 2
    assert tap.fired == 1


async def test_events_come_in_the_wrong_order(sandbox: Sandbox, client: Client) -> None:
    sandbox.faults.swap_events("trafficsplits")
    async with client.watch(SPLITS, resourceVersion=str(sandbox.cluster.version)) as stream:
        sandbox.cluster.create(split("a"))
        sandbox.cluster.create(split("b"))
        assert [await stream.brief() for _ in range(2)] == [("ADDED", "b"), ("ADDED", "a")]


async def test_a_swapped_event_without_a_partner_comes_when_the_tap_is_lifted(
    sandbox: Sandbox, client: Client
) -> None:
    tap = sandbox.faults.swap_events("trafficsplits")
    async with client.watch(SPLITS, resourceVersion=str(sandbox.cluster.version)) as stream:
        sandbox.cluster.create(split("a"))
        tap.lift()
        assert await stream.brief() == ("ADDED", "a")


async def test_events_come_late_and_in_order(sandbox: Sandbox, client: Client) -> None:
    tap = sandbox.faults.delay_events("trafficsplits", 0.02)
    async with client.watch(SPLITS, resourceVersion=str(sandbox.cluster.version)) as stream:
        sandbox.cluster.create(split("a"))
        sandbox.cluster.create(split("b"))
        assert [await stream.brief() for _ in range(2)] == [("ADDED", "a"), ("ADDED", "b")]
    assert tap.fired == 2


async def test_a_watch_breaks_off_in_the_middle_of_a_line(sandbox: Sandbox, client: Client) -> None:
    tap = sandbox.faults.cut_event("trafficsplits")
    async with client.watch(SPLITS, resourceVersion=str(sandbox.cluster.version)) as stream:
        sandbox.cluster.create(split("a"))
        with pytest.raises(aiohttp.ClientPayloadError):
            await stream.event()
    assert tap.fired == 1


async def test_a_silent_watch_stays_open_and_says_nothing(sandbox: Sandbox, client: Client) -> None:
    async with client.watch(SPLITS, resourceVersion=str(sandbox.cluster.version)) as stream:
        assert sandbox.faults.silence("trafficsplits") == 1
        sandbox.cluster.create(split("a"))
        waiting = asyncio.create_task(stream.event())
        # A request on another connection has come and gone meanwhile.
        assert (await client.get(f"{SPLITS}/a"))[0] == 200
        assert not waiting.done()
        assert sandbox.faults.break_watches() == 1
        with pytest.raises((EOFError, aiohttp.ClientPayloadError)):
            await waiting


async def test_watches_end_in_good_order(sandbox: Sandbox, client: Client) -> None:
    async with client.watch(SPLITS) as stream:
        assert sandbox.faults.end_watches("trafficsplits") == 1
        assert await stream.rest() == b""


async def test_a_watch_expires_in_its_stream(sandbox: Sandbox, client: Client) -> None:
    async with client.watch(SPLITS) as stream:
        sandbox.faults.expire_watches()
        event = await stream.event()
        assert event["type"] == "ERROR"
        assert event["object"]["code"] == 410
        with pytest.raises(EOFError):
            await stream.event()


async def test_a_watch_can_be_refused_with_410(sandbox: Sandbox, client: Client) -> None:
    sandbox.faults.respond(410, verb="watch", times=1)
    assert (await client.get(SPLITS, watch="1"))[0] == 410


async def test_an_expired_token_is_refused(sandbox: Sandbox, client: Client) -> None:
    sandbox.tokens.revoke(sandbox.token)
    assert (await client.get(SPLITS))[0] == 401


async def test_clearing_lifts_everything(sandbox: Sandbox, client: Client) -> None:
    gate = sandbox.faults.hold(verb="get")
    sandbox.faults.respond(500, verb="list")
    sandbox.faults.hold_events("configmaps")
    sandbox.faults.bookmarks = False
    waiting = asyncio.create_task(client.get(f"{SPLITS}/none"))
    await gate.until(1)
    sandbox.faults.clear()
    assert (await waiting)[0] == 404
    assert (await client.get(SPLITS))[0] == 200
    sandbox.cluster.create(configmap("a"))
    assert sandbox.faults.bookmarks


async def test_every_request_is_in_the_log(sandbox: Sandbox, client: Client) -> None:
    await client.create(SPLITS, split("a"))
    await client.get(f"{SPLITS}/none")
    seen = [
        (call.verb, call.resource, call.namespace, call.name, call.status)
        for call in sandbox.requests
    ]
    assert seen == [
        ("create", "trafficsplits", "default", "", 201),
        ("get", "trafficsplits", "default", "none", 404),
    ]
    assert len(sandbox.asked("get", "trafficsplits", status=404)) == 1
    assert sandbox.requests[0].user == "sandbox-admin"
