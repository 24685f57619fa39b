"""Who may read, as the API server says, and for how long that holds."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from reactor.errors import ReactorError, Retryable, Terminal
from reactor.kube.connection import Response
from reactor.kube.review import Reviewer

USERS: dict[str, dict[str, Any]] = {
    "good": {"username": "jane", "uid": "7", "groups": ["ops"], "extra": {"team": ["a"]}},
    "poor": {"username": "joe"},
}


class Authority:
    """Answers both reviews: only ops may read the API."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.fault: ReactorError | None = None

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        **rest: object,
    ) -> Response:
        await asyncio.sleep(0)
        if self.fault is not None:
            raise self.fault
        assert body is not None
        review = json.loads(body)
        assert path == f"/apis/{review['apiVersion']}/{review['kind'].lower()}s"
        spec = review["spec"]
        self.asked.append(spec)
        if review["kind"] == "TokenReview":
            user = USERS.get(spec["token"])
            status: dict[str, object] = {"authenticated": user is not None, "user": user or {}}
        else:
            status = {"allowed": "ops" in spec["groups"]}
        return Response(201, {}, json.dumps({**review, "status": status}).encode())


class World:
    def __init__(self) -> None:
        self.authority = Authority()
        self.now = 0.0
        self.reviewer = Reviewer(connection=self.authority, clock=lambda: self.now)


async def test_a_known_user_with_the_right_is_allowed() -> None:
    world = World()
    assert await world.reviewer.may_get("good", "/api/v1/entries") == "allowed"
    assert world.authority.asked[1] == {
        "nonResourceAttributes": {"path": "/api/v1/entries", "verb": "get"},
        "user": "jane",
        "uid": "7",
        "groups": ["ops"],
        "extra": {"team": ["a"]},
    }


async def test_a_known_user_without_the_right_is_forbidden() -> None:
    assert await World().reviewer.may_get("poor", "/api/v1/entries") == "forbidden"


async def test_an_unknown_token_is_not_asked_about_further() -> None:
    world = World()
    assert await world.reviewer.may_get("stolen", "/api/v1/entries") == "unauthenticated"
    assert len(world.authority.asked) == 1


async def test_an_answer_holds_for_a_minute_and_for_its_path() -> None:
    world = World()
    await world.reviewer.may_get("good", "/a")
    world.now = 59.9
    await world.reviewer.may_get("good", "/a")
    assert len(world.authority.asked) == 2
    await world.reviewer.may_get("good", "/b")
    assert len(world.authority.asked) == 4
    world.now = 60.1
    await world.reviewer.may_get("good", "/a")
    assert len(world.authority.asked) == 6


async def test_many_at_once_ask_once() -> None:
    world = World()
    found = await asyncio.gather(*(world.reviewer.may_get("good", "/a") for _ in range(30)))
    assert set(found) == {"allowed"}
    assert len(world.authority.asked) == 2


@pytest.mark.parametrize("fault", [Retryable("down"), Terminal("may not ask", status=403)])
async def test_no_answer_is_no_verdict_and_is_not_remembered(fault: ReactorError) -> None:
    world = World()
    world.authority.fault = fault
    with pytest.raises(Retryable, match="can't ask the API server"):
        await world.reviewer.may_get("good", "/a")
    world.authority.fault = None
    assert await world.reviewer.may_get("good", "/a") == "allowed"


async def test_only_so_many_answers_are_remembered_and_no_token() -> None:
    world = World()
    for number in range(1500):
        await world.reviewer.may_get(f"token-{number}", "/a")
    asked = len(world.authority.asked)
    await world.reviewer.may_get("token-1499", "/a")
    assert len(world.authority.asked) == asked
    await world.reviewer.may_get("token-0", "/a")
    assert len(world.authority.asked) == asked + 1
    assert "token-1499" not in repr(vars(world.reviewer))
