"""docs/admin.md says what the port does: its examples are sent, its tables compared."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import msgspec
import pytest
from litestar import Litestar
from prometheus_client import CollectorRegistry

from reactor.admin import access, app, filters
from reactor.admin.limits import Limits
from reactor.audit.feed import Feed
from tests.unit.admin.client import ask
from tests.unit.admin.conftest import Serve
from tests.unit.admin.parts import RUN, MemoryLog, NoSplits, Reasons, door, row

PAGE = (Path(__file__).parents[3] / "docs" / "admin.md").read_text()
EXAMPLES = [
    tuple(example.split("\n", 1))
    for block in re.findall(r"```console\n\$ (.*?)```", PAGE, re.DOTALL)
    for example in block.split("\n$ ")
]
LOG = MemoryLog(
    [
        row(1, kind="started"),
        row(2, kind="observed", namespace="trafficsplit-sample"),
        row(
            3,
            kind="synced",
            namespace="trafficsplit-sample",
            split="backend-split",
            service="backend-svc",
            outcome="created",
            reconcile=f"{RUN}-1",
            resource_version="271",
            detail='{"plan":"create","status":201,"durations":{"queued":0.0002,"decided":0.0003,'
            '"committed":0.0021,"written":0.0046}}',
        ),
    ]
)


@pytest.mark.parametrize(("command", "printed"), EXAMPLES)
async def test_each_example_gives_what_is_printed(serve: Serve, command: str, printed: str) -> None:
    server = await serve(
        log=LOG, readiness=Reasons("the first list of trafficsplits isn't there yet")
    )
    target = shlex.split(command)[-1].removeprefix("localhost:9995")
    answer = await ask(server.port, target)
    if printed.startswith("{"):
        assert answer.json() == msgspec.json.decode(printed)
    else:
        assert answer.text.splitlines() == printed.splitlines()


def test_every_path_is_listed_with_whether_it_asks_for_a_token() -> None:
    application: Litestar = app.routes(
        readiness=Reasons(),
        registry=CollectorRegistry(),
        log=LOG,
        feed=Feed(log=LOG),
        splits=NoSplits(),
        door=door(),
    )
    paths = [re.sub(r":\w+\}", "}", route.path) for route in application.routes]
    expected = {path: "no" if path in access.OPEN_PATHS else "yes" for path in paths}
    assert dict(re.findall(r"^\| `(/\S*)` \| (yes|no) \|", PAGE, re.MULTILINE)) == expected


def test_every_parameter_is_listed_with_what_it_allows() -> None:
    listed = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \|$", PAGE, re.MULTILINE)
    assert listed == [(p.name, p.allowed, p.meaning) for p in filters.PARAMETERS]


def test_the_limits_are_those_of_the_code() -> None:
    limits = Limits()
    assert f"within {limits.head_seconds:.0f} s and hold at most {limits.head // 1024} KiB" in PAGE
    assert f"its answer within {limits.answer_seconds:.0f} s" in PAGE
    assert f"idle for {limits.idle_seconds} s, and at most {limits.connections} conn" in PAGE
    assert f"body above {limits.body // 1024} KiB" in PAGE
    assert f"takes one, of {limits.form // 1024} KiB" in PAGE
    assert f"longer than {limits.url // 1024} KiB" in PAGE


async def test_the_header_says_which_log_answers_and_splits_are_of_no_archive(serve: Serve) -> None:
    port = (await serve(log=LOG, source=lambda: "archive; lag-rows=1")).port
    for path, wanted in (
        ("/api/v1/entries", "archive; lag-rows=1"),
        ("/api/v1/verify", "archive; lag-rows=1"),
        ("/api/v1/splits", "local"),
    ):
        assert (await ask(port, path)).headers["x-log-source"] == wanted, path
