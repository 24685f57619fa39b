"""The pages as HTML: what they show, to whom, and that everything in them is text."""

from __future__ import annotations

import hashlib
import re
import tomllib
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from msgspec.structs import replace

from reactor.admin.pages.assets import PATHS
from reactor.audit.query import Filters, Reader
from reactor.audit.query import Page as Rows
from reactor.audit.trouble import Unavailable
from reactor.handlers.overview import Ending, Leaf, SplitState
from tests.unit.admin.client import Answer, ask, send
from tests.unit.admin.conftest import Serve
from tests.unit.admin.parts import RUN, MemoryLog, Reasons, TheseSplits, Tokens, row
from tests.unit.audit.logs import opened
from tests.unit.audit.test_history import Story

ROOT = Path(__file__).parents[3]
HTML = {"Accept": "text/html,application/xhtml+xml"}
MARKUP = "<script>alert(1)</script><img/src=x>"
AT = 1_600_000_000_000_000


SPLIT = SplitState(
    namespace="n",
    name="s",
    service="web",
    state="in-sync",
    reason="",
    since=AT,
    winner="s",
    leaves=(Leaf("a", "750m", "750m"), Leaf("b", "250m", "250m")),
    findings=(),
    last=Ending("patched", "r-1", AT, AT, 0.0123, ""),
)


async def test_every_split_is_shown_with_its_weights_and_how_it_stands(serve: Serve) -> None:
    late = replace(
        SPLIT,
        name="late",
        state="out-of-sync",
        reason="serviceprofile/x is not there yet",
        leaves=(Leaf("a", "1", None),),
    )
    page = await ask((await serve(splits=TheseSplits(SPLIT, late))).port, "/", headers=HTML)
    assert page.status == 200
    text = _text(page)
    assert "2 splits on this page, 1 not in sync" in text
    assert "a 750m 75 %" in text
    assert "in effect after 12 ms" in text
    assert "out of sync" in text
    assert "serviceprofile/x is not there yet" in text
    assert "applied: none" in text
    assert 'href="/splits/n/late"' in page.text


async def test_markup_in_any_value_is_shown_as_text(serve: Serve) -> None:
    bad = replace(
        SPLIT,
        name=MARKUP,
        namespace=MARKUP,
        service=MARKUP,
        state="invalid",
        reason=f"why: {MARKUP}",
        winner='"' + MARKUP,
        findings=(MARKUP,),
        leaves=(Leaf(MARKUP, MARKUP, None),),
        last=Ending("failed", MARKUP, AT, AT, None, MARKUP),
    )
    page = await ask((await serve(splits=TheseSplits(bad))).port, "/", headers=HTML)
    assert page.status == 200
    assert page.text.count("&lt;script&gt;") >= 9
    assert "<script" not in page.text
    assert "<img" not in page.text


DIGEST = hashlib.sha256(b"document").digest()
ROWS = [
    row(
        1,
        kind="observed",
        namespace="n",
        split=MARKUP,
        service=MARKUP,
        actor=MARKUP,
        resource_version=MARKUP,
        detail=f'{{"object":"{MARKUP}","name":"{MARKUP}","type":"{MARKUP}","digest":"d"}}',
        documents=DIGEST,
    ),
    row(
        2,
        kind="translated",
        namespace="n",
        split=MARKUP,
        service=MARKUP,
        reconcile="r",
        detail=f'{{"splits":[{{"digest":"d"}}],"plan":"{MARKUP}","desired":{{"winner":"{MARKUP}",'
        f'"valid":false,"findings":[{{"reason":"{MARKUP}","message":"{MARKUP}"}}]}}}}',
    ),
    row(
        3,
        kind="synced",
        namespace="n",
        split=MARKUP,
        service=MARKUP,
        outcome=MARKUP,
        reconcile="r",
        detail=f'{{"message":"{MARKUP}","durations":{{"queued":0.5,"total":1.0}}}}',
    ),
    row(4, kind="gap", detail=f'{{"rows":3,"first":1,"last":2,"reason":"{MARKUP}"}}'),
]
BODY = (
    f'{{"kind":"{MARKUP}","metadata":{{"name":"{MARKUP}"}},'
    f'"spec":{{"backends":[{{"service":"{MARKUP}","weight":"{MARKUP}"}}]}}}}'
)


@pytest.mark.parametrize(
    "target",
    [
        f"/splits/n/{quote(MARKUP.replace('/', ''), safe='')}",
        *(f"/entries/{RUN}/{seq}" for seq in (1, 2, 3, 4)),
        "/log",
        "/log?live=1",
        "/health",
        f"/log?{urlencode({'text': MARKUP, 'actor': MARKUP, 'since': MARKUP})}",
    ],
)
async def test_markup_in_the_log_is_shown_as_text(serve: Serve, target: str) -> None:
    server = await serve(
        log=MemoryLog(ROWS, {DIGEST: BODY}), readiness=Reasons(MARKUP, remarks=[MARKUP])
    )
    page = await ask(server.port, target, headers=HTML)
    assert page.status == (400 if "since" in target else 200)
    assert "&lt;script&gt;" in page.text
    main = page.text.partition("<main")[2]
    assert "<script" not in main
    assert "<img" not in main


async def test_an_entry_that_is_not_there_is_a_page_that_says_so(serve: Serve) -> None:
    page = await ask((await serve()).port, f"/entries/{RUN}/9", headers=HTML)
    assert page.status == 404
    assert "it never had, or retention took it" in page.text


async def test_a_log_that_can_not_be_read_is_a_page_that_says_when_to_ask_again(
    serve: Serve,
) -> None:
    class Away(MemoryLog):
        async def entries(self, filters: Filters, **paging: Any) -> Rows:
            raise Unavailable("the disk is gone")

    page = await ask((await serve(log=Away())).port, "/log", headers=HTML)
    assert (page.status, page.headers["retry-after"]) == (503, "5")
    assert "The log can&#x27;t be read now: the disk is gone." in page.text


async def test_the_live_view_follows_the_filters(serve: Serve) -> None:
    server = await serve(log=MemoryLog(ROWS))
    live = await ask(server.port, "/log?kind=synced&since=-2h&live=1", headers=HTML)
    assert 'data-tail="/api/v1/tail?kind=synced"' in live.text
    for more in ("until=-1h", "order=oldest", "cursor=v1.%3C3"):
        still = await ask(server.port, f"/log?live=1&{more}", headers=HTML)
        assert "data-tail" not in still.text


async def test_every_page_forbids_what_is_not_from_here(serve: Serve) -> None:
    server = await serve()
    for target in ("/", "/nothing", "/?state=odd"):
        headers = (await ask(server.port, target, headers=HTML)).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
        assert "unsafe" not in policy
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-type"] == "text/html; charset=utf-8"


async def test_no_page_names_another_address(serve: Serve) -> None:
    server = await serve(splits=TheseSplits(SPLIT), reviewer=Tokens({"t": "allowed"}))
    bearer = {**HTML, "Authorization": "Bearer t"}
    for target in ("/", "/sign-in", *PATHS):
        body = (await ask(server.port, target, headers=bearer)).text
        # What names a vocabulary is never loaded.
        assert "//" not in re.sub(r'xmlns="[^"]*"|/\*.*?\*/|(?m:^ *// .*$)', "", body)


async def test_a_browser_gets_errors_as_pages_and_others_as_json(serve: Serve) -> None:
    port = (await serve()).port
    page = await ask(port, f"/entries/{RUN}/odd", headers=HTML)
    assert page.status == 400
    assert page.text.count("&#x27;odd&#x27; is out of bounds; allowed: 1 or more") == 1
    assert (await ask(port, f"/entries/{RUN}/odd")).json()["errors"][0]["field"] == "seq"
    missing = await ask(port, f"/{MARKUP.replace(' ', '')}", headers=HTML)
    assert missing.status == 404
    assert "<script>" not in missing.text
    assert (await ask(port, "/api/v1/nothing", headers=HTML)).json()["status"] == 404


@pytest.mark.parametrize(
    ("target", "wrong"),
    [
        ("/?namespace=a b&state=odd", 2),
        ("/log?namespace=a b&kind=odd&since=-2h&limit=0", 2),
    ],
)
async def test_a_wrong_filter_keeps_what_was_typed_and_has_one_error_that_says_what_would_do(
    serve: Serve, target: str, wrong: int
) -> None:
    page = await ask((await serve()).port, target.replace(" ", "%20"), headers=HTML)
    assert page.status == 400
    assert 'name="namespace" value="a b"' in page.text
    assert "<option selected>odd</option>" in page.text
    assert page.text.count('aria-invalid="true"') == wrong
    assert page.text.count(" autofocus") == 1
    assert page.text.count("&#39;odd&#39; is unknown; allowed: one of ") == 1
    if "limit" in target:
        assert "limit: &#39;0&#39; is out of bounds; allowed: a whole number from 1" in page.text


async def test_a_field_that_is_left_empty_filters_nothing(serve: Serve) -> None:
    server = await serve(splits=TheseSplits(SPLIT))
    page = await ask(server.port, "/?namespace=&state=", headers=HTML)
    assert page.status == 200
    assert "n/<wbr>s" in page.text


async def test_without_a_session_a_browser_is_shown_the_sign_in_and_nothing_else(
    serve: Serve,
) -> None:
    server = await serve(splits=TheseSplits(replace(SPLIT, name="secret")), reviewer=Tokens({}))
    page = await ask(server.port, "/?namespace=n&state=", headers=HTML)
    assert page.status == 401
    assert "secret" not in page.text
    assert 'name="next" value="/?namespace=n&amp;state="' in page.text
    assert (await ask(server.port, "/")).json()["status"] == 401
    for path in PATHS:
        asset = await ask(server.port, path)
        assert asset.status == 200
        assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_a_token_opens_a_session_that_ends_with_the_sign_out(serve: Serve) -> None:
    tokens = Tokens({"s3cret": "allowed"})
    server = await serve(reviewer=tokens)
    entered = await sign_in(server.port, token="s3cret", next="/?state=invalid")
    assert (entered.status, entered.headers["location"]) == (303, "/?state=invalid")
    assert tokens.asked == [("s3cret", "/smi-adaptor/")]
    cookie = entered.headers["set-cookie"]
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Strict")
    assert "s3cret" not in cookie
    session = {**HTML, "Cookie": "other=1; " + cookie.partition(";")[0]}
    page = await ask(server.port, "/", headers=session)
    assert page.status == 200
    assert "s3cret" not in page.text
    assert (await ask(server.port, "/api/v1/runs", headers=session)).status == 200
    assert tokens.asked[-1] == ("s3cret", "/smi-adaptor/api/v1/runs")
    left = await sign_in(server.port, out="1")
    assert (left.status, left.headers["location"]) == (303, "/sign-in")
    assert left.headers["set-cookie"].startswith("smi-adaptor=; Max-Age=0; ")


@pytest.mark.parametrize(
    ("token", "status", "said"),
    [
        ("unknown", 401, "does not know this token"),
        ("poor", 403, "bind a ClusterRole"),
        ("late", 503, "does not answer token reviews now"),
        ("no token", 400, "This is no bearer token"),
        ("", 400, "This is no bearer token"),
        ("long" * 1000, 400, "longer than the 2800"),
    ],
)
async def test_a_token_that_does_not_do_is_refused_and_never_shown(
    serve: Serve, token: str, status: int, said: str
) -> None:
    server = await serve(reviewer=Tokens({"poor": "forbidden", "late": "unavailable"}))
    answer = await sign_in(server.port, token=token)
    assert answer.status == status
    assert said in answer.text
    assert "set-cookie" not in answer.headers
    assert not token or f'"{token}"' not in answer.text
    assert token != "no token" or token not in answer.text


@pytest.mark.parametrize(
    "onward", ["//evil.example", "https://evil.example/", "/\\evil.example", "log", "/a\nb", "/ä"]
)
async def test_a_sign_in_leads_nowhere_else(serve: Serve, onward: str) -> None:
    server = await serve(reviewer=Tokens({"t": "allowed"}))
    assert (await sign_in(server.port, token="t", next=onward)).headers["location"] == "/"


async def test_only_the_sign_in_takes_a_form_a_short_one_of_its_own(serve: Serve) -> None:
    server = await serve(reviewer=Tokens({"t": "allowed"}))
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    async def status(path: str, body: bytes, **headers: str) -> int:
        given = {**form, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return (await ask(server.port, path, method="POST", headers=given, body=body)).status

    assert await status("/sign-in", b"token=t") == 303
    assert await status("/sign-in", b"token=t", Origin="http://admin") == 303
    assert await status("/sign-in", b"token=t", Origin="http://evil.example") == 403
    assert await status("/sign-in", b"token=t", Origin="null") == 403
    assert await status("/sign-in", b"token=t", Content_Type="application/json") == 415
    assert await status("/sign-in", b"token=" + b"t" * 16380) == 413
    assert await status("/sign-in", b"token=%ff") == 400
    chunk = b"4001\r\n" + b"t" * 0x4001 + b"\r\n0\r\n\r\n"
    raw = b"POST /sign-in HTTP/1.1\r\nHost: admin\r\nTransfer-Encoding: chunked\r\n"
    raw += b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" + chunk
    assert (await send(server.port, raw)).status == 413
    assert await status("/", b"token=t", Authorization="Bearer t") == 405
    unguarded = await serve()
    assert (await ask(unguarded.port, "/sign-in", method="POST", body=b"token=t")).status == 405
    assert (await ask(unguarded.port, "/sign-in")).status == 404


async def test_a_cookie_of_another_process_is_no_session(serve: Serve) -> None:
    first, second = [await serve(reviewer=Tokens({"t": "allowed"})) for _ in range(2)]
    cookie = (await sign_in(first.port, token="t")).headers["set-cookie"].partition(";")[0]
    for value in (cookie, cookie[:-6], "smi-adaptor=", "smi-adaptor=a", "smi-adaptor=ä"):
        page = await ask(second.port, "/", headers={**HTML, "Cookie": value})
        assert page.status == 401
        assert "The session has ended: sign in again." in page.text


def test_every_template_and_asset_is_packed_into_the_wheel() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packed = settings["tool"]["setuptools"]["package-data"]["reactor"]
    found = [path for path in (ROOT / "reactor/admin/pages").rglob("*") if path.is_file()]
    files = [path for path in found if path.suffix not in (".py", ".pyc")]
    assert len(files) > 8
    for path in files:
        assert any(path.match(f"reactor/{pattern}") for pattern in packed), path


async def sign_in(port: int, **fields: str) -> Answer:
    return await ask(
        port,
        "/sign-in",
        method="POST",
        headers={**HTML, "Content-Type": "application/x-www-form-urlencoded"},
        body=urlencode(fields).encode(),
    )


def _text(page: Answer) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


async def test_what_was_before_the_log_began_is_said_to_be_not_known(
    serve: Serve, tmp_path: Path
) -> None:
    path = tmp_path / "log.sqlite"
    async with opened(path) as log:
        Story(log).seen(1)
        assert await log.commit()
    port = (await serve(log=Reader(url=str(path)))).port
    text = _text(await ask(port, "/splits/default/s", headers=HTML))
    assert "a not known 1 100 %" in text.replace("\N{NO-BREAK SPACE}", " ")
    assert "changed" not in text
