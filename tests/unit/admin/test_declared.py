"""Each answer that /openapi.json declares is given once, with something in it, and fits.

What nobody would think of is schemathesis' part (test_truth.py), which knows no name that is there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jsonschema_rs
import msgspec
import pytest

from reactor.admin.problem import MEDIA_TYPE
from reactor.audit.chain import Anchor, Verdict
from reactor.audit.feed import Feed
from reactor.audit.query import Filters, Page, Reader, Run
from reactor.audit.query.export import Format
from reactor.audit.query.stats import Stats
from reactor.audit.row import Row
from reactor.audit.trouble import Unavailable
from reactor.handlers.overview import Ending, Leaf, SplitState
from tests.unit.admin.client import Answer, ask
from tests.unit.admin.conftest import Serve
from tests.unit.admin.parts import MemoryLog, Reasons, TheseSplits, Tokens
from tests.unit.audit.logs import opened
from tests.unit.audit.test_history import Story
from tests.unit.audit.test_standing import seen

MAY = {"Authorization": "Bearer may"}
OPEN_PATHS = {"/ping", "/live", "/ready", "/metrics"}
NO_LOG = {*OPEN_PATHS, "/openapi.json", "/api/v1/splits"}
"""What answers without the log: only the guard's troubles are theirs."""
SPLIT = SplitState(
    namespace="ns",
    name="s",
    service="web",
    state="out-of-sync",
    reason="someone changed it",
    since=1_700_000_000_000_001,
    winner="s",
    leaves=(Leaf("a", "1", None), Leaf("b", "500m", "1")),
    findings=("ServiceNotFound: there is no Service a",),
    last=Ending("failed", "r-1", 1_700_000_000_000_000, 1_700_000_000_000_000, None, "no"),
)


class Broken(MemoryLog):
    """A log at which every question fails."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    async def entries(self, *_: Any, **__: Any) -> Page:
        raise self._error

    async def entry(self, run: str, seq: int) -> Row | None:
        raise self._error

    async def document(self, digest: bytes) -> str | None:
        raise self._error

    async def export(self, filters: Filters, form: Format) -> AsyncIterator[bytes]:
        raise self._error
        yield b""

    async def stats(self) -> Stats:
        raise self._error

    async def verify(self, *anchors: Anchor) -> Verdict:
        raise self._error

    async def runs(self) -> Sequence[Run]:
        raise self._error


class Declared:
    """The document, and which of its answers were seen."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.paths = document["paths"]
        self._document = document
        self.left = {
            (path, int(status))
            for path, methods in self.paths.items()
            for status in methods["get"]["responses"]
        }

    def check(self, path: str, answer: Answer) -> None:
        """It is declared: its status, its media type, its headers, and what is in it."""
        said = self._at(self.paths[path]["get"]["responses"][str(answer.status)])
        kind = answer.headers["content-type"].partition(";")[0]
        assert kind in said["content"], (path, answer.status)
        for name, header in said.get("headers", {}).items():
            assert not header.get("required") or name.lower() in answer.headers
            if (value := answer.headers.get(name.lower())) is not None:
                jsonschema_rs.validate(header["schema"], value)
        if kind.endswith("json") and kind != "application/x-ndjson":
            schema = {**said["content"][kind]["schema"], "components": self._document["components"]}
            jsonschema_rs.validator_for(schema, validate_formats=True).validate(answer.json())
        self.left.discard((path, answer.status))

    def _at(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            found: Any = self._document
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return node


def targets(rows: Sequence[Row], missing: bool) -> dict[str, str]:
    """A question to each path that has an answer, or to those that can miss one."""
    change = next(row for row in rows if row.kind == "observed" and row.split is not None)
    run, seq, digest = change.run, change.seq, change.digests[0].hex()
    if missing:
        return {
            "/api/v1/entries/{run}/{seq}": f"/api/v1/entries/{run}/{10**9}",
            "/api/v1/documents/{digest}": f"/api/v1/documents/{'0' * 64}",
            "/api/v1/tail": f"/api/v1/tail?after={run}.{10**9}",
        }
    profile = f"/api/v1/profiles/{change.namespace}/{change.service}"
    begin = urlencode({"from": "2020-01-01T00:00:00Z"})
    return {
        **{path: path for path in (*NO_LOG, "/api/v1/runs", "/api/v1/stats", "/api/v1/verify")},
        "/api/v1/entries": "/api/v1/entries?limit=1000",
        "/api/v1/entries/{run}/{seq}": f"/api/v1/entries/{run}/{seq}",
        "/api/v1/documents/{digest}": f"/api/v1/documents/{digest}",
        "/api/v1/splits/{namespace}/{split}": f"/api/v1/splits/{change.namespace}/{change.split}",
        "/api/v1/profiles/{namespace}/{service}": profile,
        "/api/v1/profiles/{namespace}/{service}/diff": f"{profile}/diff?{begin}",
        "/api/v1/export": "/api/v1/export?format=bundle",
    }


async def written(path: Path) -> None:
    """A log with a story in it."""
    async with opened(path) as log:
        story = Story(log)
        story.seen(1, type="added")
        log.append(seen(2, "5", type="added"))
        story.decided("failed", message="no", durations={"queued": 0.1})
        story.decided("patched", durations={"written": 0.1, "total": 0.2})
        assert await log.commit()


async def test_every_answer_that_is_declared_is_given_and_fits(
    serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await written(tmp_path / "log.sqlite")
    reader = Reader(url=str(tmp_path / "log.sqlite"))
    rows = (await reader.entries(Filters(), limit=1000)).entries
    verdicts = Tokens({"may": "allowed", "not": "forbidden", "later": "unavailable"})
    given = {"reviewer": verdicts, "splits": TheseSplits(SPLIT)}
    port = (await serve(log=reader, feed=Feed(log=reader), **given)).port
    declared = Declared((await ask(port, "/openapi.json", headers=MAY)).json())
    asked = targets(rows, missing=False)

    for path, target in asked.items():
        found = await ask(port, target, headers=MAY)
        assert found.status == 200, (path, found.text)
        declared.check(path, found)
    for path, target in targets(rows, missing=True).items():
        declared.check(path, await ask(port, target, headers=MAY))
    asked["/api/v1/tail"] = "/api/v1/tail"
    for path, target in asked.items():
        for found in (
            await ask(port, f"{target.partition('?')[0]}?colour=red", headers=MAY),
            *[
                await ask(port, target, headers={"Authorization": f"Bearer {token}"})
                for token in ("nobody's", "not", "later")
                if path not in OPEN_PATHS
            ],
            await ask(port, target, method="DELETE", headers=MAY),
            await ask(port, target, headers={**MAY, "Content-Length": str(1 << 20)}),
            await ask(port, f"{target}?{'x' * 5000}", headers=MAY),
        ):
            declared.check(path, found)

    for error in (Unavailable("it is away"), RuntimeError("a fault")):
        broken = Broken(error)
        parts = {**given, "readiness": Reasons("not yet")}
        port = (await serve(log=broken, feed=Feed(log=broken), **parts)).port
        for path in asked.keys() - NO_LOG | {"/ready"}:
            declared.check(path, await ask(port, asked[path], headers=MAY))

    # A tail has no end, so that tests of its own read it; the rest can't fail by themselves.
    assert declared.left == {("/api/v1/tail", 200), *((path, 500) for path in NO_LOG)}
    assert "a fault" in caplog.text
    assert msgspec.json.decode(found.body)["status"] == 414
    assert found.headers["content-type"] == MEDIA_TYPE
