"""Bearer tokens."""

from __future__ import annotations

import asyncio
import logging

import pytest

from reactor.admin import access
from reactor.admin.access import Verdict
from reactor.admin.pages.session import Sessions
from reactor.admin.problem import Refused
from reactor.errors import Retryable
from tests.unit.admin.client import Answer, ask
from tests.unit.admin.conftest import Serve
from tests.unit.admin.parts import Tokens

GOOD, POOR, LATE = "good.s3cret", "poor.s3cret", "late.s3cret"
VERDICTS: dict[str, Verdict] = {GOOD: "allowed", POOR: "forbidden", LATE: "unavailable"}


@pytest.fixture(name="tokens")
def _tokens() -> Tokens:
    return Tokens(dict(VERDICTS))


@pytest.mark.parametrize("path", sorted(access.OPEN_PATHS))
async def test_open_paths_ask_for_nothing(serve: Serve, tokens: Tokens, path: str) -> None:
    server = await serve(reviewer=tokens)
    assert (await ask(server.port, path)).status == 200
    assert tokens.asked == []


@pytest.mark.parametrize(
    "path", ["/api/v1/entries", "/openapi.json", "/nothing", "/ping/", "//ping"]
)
async def test_every_other_path_asks_for_a_token(serve: Serve, tokens: Tokens, path: str) -> None:
    server = await serve(reviewer=tokens)
    answer = await ask(server.port, path)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="smi-adaptor"'
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_token_that_may_get_the_path_is_let_in(serve: Serve, tokens: Tokens) -> None:
    server = await serve(reviewer=tokens)
    answer = await _with(server.port, f"bearer  {GOOD}")
    assert answer.status == 200
    assert tokens.asked == [(GOOD, "/smi-adaptor/api/v1/entries")]


@pytest.mark.parametrize(
    "given", ["Basic Z29vZA==", "Bearer", "Bearer a b", "Bearer \xe9", GOOD, "Bearer a, Bearer b"]
)
async def test_what_is_no_bearer_token_is_never_reviewed(
    serve: Serve, tokens: Tokens, given: str
) -> None:
    server = await serve(reviewer=tokens)
    answer = await _with(server.port, given)
    assert answer.status == 401
    assert 'error="invalid_request"' in answer.headers["www-authenticate"]
    assert tokens.asked == []


async def test_the_verdicts_become_statuses(serve: Serve, tokens: Tokens) -> None:
    server = await serve(reviewer=tokens)
    unknown = await _with(server.port, "Bearer nobody")
    assert unknown.status == 401
    assert 'error="invalid_token"' in unknown.headers["www-authenticate"]
    assert (await _with(server.port, f"Bearer {POOR}")).status == 403
    late = await _with(server.port, f"Bearer {LATE}")
    assert (late.status, late.headers["retry-after"]) == (503, "5")


async def test_no_token_is_ever_in_an_answer_or_a_log(
    serve: Serve, tokens: Tokens, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = await serve(reviewer=tokens)
    for token in (GOOD, POOR, LATE, "nobody.s3cret"):
        answer = await _with(server.port, f"Bearer {token}")
        assert "s3cret" not in answer.text + str(answer.headers)
    assert "s3cret" not in caplog.text


async def test_a_review_that_fails_for_now_is_a_503() -> None:
    class Failing:
        async def may_get(self, token: str, path: str) -> Verdict:
            raise Retryable("connection refused")

    with pytest.raises(Refused) as caught:
        await access.admit(
            Failing(), Sessions(), "/api", [(b"authorization", b"Bearer x")], seconds=5
        )
    assert caught.value.status == 503


async def test_a_review_that_hangs_is_a_503() -> None:
    class Hanging:
        async def may_get(self, token: str, path: str) -> Verdict:
            never: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
            return await never

    with pytest.raises(Refused) as caught:
        await access.admit(
            Hanging(), Sessions(), "/api", [(b"authorization", b"Bearer x")], seconds=0
        )
    assert caught.value.status == 503


async def _with(port: int, authorization: str) -> Answer:
    return await ask(port, "/api/v1/entries", headers={"Authorization": authorization})
