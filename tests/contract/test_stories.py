"""What the log tells afterwards: of a split, change by change, and of a profile at a moment."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from tests.contract.adaptor import Adaptor
from tests.contract.cluster import Cluster
from tests.contract.waiting import until_async


async def ask(adaptor: Adaptor, path: str, **query: str) -> Any:
    url = f"http://127.0.0.1:{adaptor.daemon.port}/api/v1/{path}"
    async with aiohttp.ClientSession() as session, session.get(url, params=query) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


def weights(found: Any) -> list[Any] | None:
    return None if found is None else [backend["weight"] for backend in found]


@pytest.mark.permissive
async def test_a_split_is_told_change_by_change(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1), ("b", 0)])
    await cluster.wait_overrides("web", [("a", "1"), ("b", "0")])
    await cluster.settled(adaptor)
    await cluster.set_weights("s", [("a", 0.5), ("b", "500m")], field_manager="alice")
    await cluster.wait_overrides("web", [("a", "500m"), ("b", "500m")])
    await cluster.settled(adaptor)
    await cluster.set_weights("s", [("a", "typo")], field_manager="bob")
    await cluster.settled(adaptor)
    await cluster.delete_split("s")
    await cluster.wait_no_profile("web")
    await cluster.settled(adaptor)

    told = await ask(adaptor, f"splits/{cluster.namespace}/s")

    changes = told["changes"][::-1]
    assert told["next"] is None
    assert [(c["type"], c["actor"]) for c in changes] == [
        ("added", "tests"),
        ("modified", "alice"),
        ("modified", "bob"),
        ("deleted", "unknown"),
    ]
    assert [weights(c["before"]) for c in changes] == [None, [1, 0], [0.5, "500m"], ["typo"]]
    assert [weights(c["after"]) for c in changes] == [[1, 0], [0.5, "500m"], ["typo"], None]
    assert [c["ended"]["outcome"] for c in changes] == ["created", "patched", "invalid", "deleted"]
    assert [c["decided"]["valid"] for c in changes] == [True, True, False, True]
    (finding,) = changes[2]["decided"]["findings"]
    assert finding["reason"] == "InvalidWeight"
    assert {"queued", "decided", "committed", "written"} <= changes[1]["ended"]["durations"].keys()
    for change in changes:
        places = [change["entry"], change["decided"]["entry"], change["ended"]["entry"]]
        assert [place["seq"] for place in places] == sorted(place["seq"] for place in places)
        entry = await ask(adaptor, f"entries/{places[0]['run']}/{places[0]['seq']}")
        assert (entry["kind"], entry["at"]) == ("observed", places[0]["at"])

    newest = await ask(adaptor, f"splits/{cluster.namespace}/s", limit="1")
    assert newest["changes"] == told["changes"][:1]
    rest = await ask(adaptor, f"splits/{cluster.namespace}/s", cursor=newest["next"])
    assert rest["changes"] == told["changes"][1:]


async def test_a_profile_is_shown_as_it_stood_at_any_moment(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    profile = f"profiles/{cluster.namespace}/web"
    for weight in ("1", "2"):
        if weight == "1":
            await cluster.create_split("s", "web", [("a", 1)])
        else:
            await cluster.set_weights("s", [("a", 2)])
        await cluster.wait_overrides("web", [("a", weight)])
        await cluster.settled(adaptor)
    await cluster.delete_split("s")
    await cluster.wait_no_profile("web")
    await cluster.settled(adaptor)

    rows = (await ask(adaptor, "entries", service="web", namespace=cluster.namespace))["entries"]
    written = {row["outcome"]: row for row in rows if row["kind"] == "synced"}

    def expected(row: Any, weight: str | None) -> Any:
        overrides = [{"authority": cluster.authority("a"), "weight": weight}]
        place = {name: row[name] for name in ("run", "seq", "at")}
        return {"overrides": None if weight is None else overrides, "entry": place}

    stages: list[tuple[str, str | None]] = [("created", "1"), ("patched", "2"), ("deleted", None)]
    for outcome, stood in stages:
        row = written[outcome]
        found = await ask(adaptor, profile, at=row["at"])
        assert found.items() >= expected(row, stood).items()
        assert (found["outcome"], found["actor"]) == (outcome, "smi-adaptor")
    before = await ask(adaptor, profile, at="2020-01-01T00:00:00Z")
    assert set(before) == {"overrides", "entry", "actor", "outcome", "gap"}
    assert set(before.values()) == {None}
    assert (await ask(adaptor, profile))["overrides"] is None
    between = await ask(
        adaptor,
        f"{profile}/diff",
        **{"from": written["created"]["at"], "to": written["patched"]["at"]},
    )
    assert between["differs"]
    assert between["before"]["overrides"][0]["weight"] == "1"
    assert between["after"]["overrides"][0]["weight"] == "2"


@pytest.mark.permissive
async def test_every_split_is_shown_as_it_stands(cluster: Cluster) -> None:
    for name in ("a", "b", "typo"):
        await cluster.create_split(
            name, "typo" if name == "typo" else "web", [("x", "1x" if name == "typo" else 5)]
        )
    adaptor = await cluster.adaptor().start()
    await cluster.wait_overrides("web", [("x", "5")])
    await adaptor.idle()

    found = await ask(adaptor, "splits", namespace=cluster.namespace)

    first, shadowed, invalid = found["splits"]
    assert found["next"] is None
    assert [split["name"] for split in found["splits"]] == ["a", "b", "typo"]
    assert (first["state"], first["service"], first["winner"]) == ("in-sync", "web", "a")
    assert first["leaves"] == [{"service": "x", "desired": "5", "applied": "5"}]
    assert first["last"]["outcome"] == "created"
    assert first["last"]["seconds"] > 0
    assert first["since"] == first["last"]["at"]
    assert (shadowed["state"], shadowed["winner"]) == ("shadowed", "a")
    assert "by the older a already" in shadowed["reason"]
    assert invalid["state"] == "invalid"
    assert invalid["findings"][0].startswith("InvalidWeight")

    one = await ask(adaptor, "splits", namespace=cluster.namespace, limit="1")
    rest = await ask(adaptor, "splits", namespace=cluster.namespace, cursor=one["next"])
    assert [split["name"] for split in one["splits"] + rest["splits"]] == ["a", "b", "typo"]
    some = await ask(adaptor, "splits", namespace=cluster.namespace, state="shadowed")
    assert [split["name"] for split in some["splits"]] == ["b"]

    await adaptor.stop()
    await adaptor.start()

    async def remembered() -> bool:
        again = (await ask(adaptor, "splits", namespace=cluster.namespace))["splits"]
        return [(s["since"], s["last"]) for s in again] == [
            (s["since"], s["last"]) for s in found["splits"]
        ]

    await until_async(remembered)
    await cluster.delete_split("a")

    async def inherited() -> bool:
        (heir,) = (await ask(adaptor, "splits", namespace=cluster.namespace, limit="1"))["splits"]
        return (heir["name"], heir["state"]) == ("b", "in-sync") and heir["since"] == heir["last"][
            "at"
        ] > first["since"]

    await until_async(inherited)
