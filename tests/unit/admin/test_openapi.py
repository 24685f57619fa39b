"""/openapi.json tells the truth."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from prometheus_client import CollectorRegistry

from reactor.admin import app, filters, openapi, wire
from reactor.admin.problem import Problem
from reactor.audit.feed import Feed
from reactor.audit.query import Filters
from tests.unit.admin.client import ask
from tests.unit.admin.conftest import Serve
from tests.unit.admin.parts import MemoryLog, NoSplits, Reasons, Tokens, door

PROBES = {"/ping", "/live", "/ready", "/metrics"}


@pytest.fixture(name="document", params=[True, False], ids=["secured", "open"])
def _document(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(
        openapi.document(app.paths(MemoryLog(), NoSplits()), secured=request.param)
    )
    return found


def test_every_route_but_the_pages_is_listed_and_no_other(document: dict[str, Any]) -> None:
    application = app.routes(
        readiness=Reasons(),
        registry=CollectorRegistry(),
        log=MemoryLog(),
        feed=Feed(log=MemoryLog()),
        splits=NoSplits(),
        door=door(),
    )
    assert isinstance(application, Litestar)
    paths = {re.sub(r":\w+\}", "}", route.path) for route in application.routes}
    assert set(document["paths"]) == {path for path in paths if not _for_people(path)}


def test_every_parameter_is_listed(document: dict[str, Any]) -> None:
    parameters = document["paths"]["/api/v1/entries"]["get"]["parameters"]
    names = [parameter.name for parameter in filters.PARAMETERS]
    assert [parameter["name"] for parameter in parameters] == names
    asked = {*Filters.__struct_fields__, *filters.Question.__struct_fields__} - {"filters"}
    assert set(names) == asked


_STRUCTS = [found for found in vars(wire).values() if isinstance(found, msgspec.StructMeta)]


def test_the_schemas_have_the_fields_that_are_sent(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for struct in (*_STRUCTS, Problem):
        assert set(schemas[struct.__name__]["properties"]) == set(struct.__struct_fields__)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = list(_references(document))
    assert found
    for reference in found:
        node: Any = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


async def test_it_is_served_as_json_with_bearer_security_in_a_pod(serve: Serve) -> None:
    server = await serve(reviewer=Tokens({"t": "allowed"}))
    answer = await ask(server.port, "/openapi.json", headers={"Authorization": "Bearer t"})
    assert answer.headers["content-type"] == "application/json"
    paths = answer.json()["paths"]
    assert paths["/api/v1/entries"]["get"]["security"] == [{"bearer": []}]
    assert paths["/ready"]["get"]["security"] == []


STATUSES = [
    ("GET", "/api/v1/entries", {}, 200),
    ("GET", "/api/v1/entries?x=1", {}, 400),
    ("GET", "/api/v1/entries", {"Authorization": "Bearer no"}, 401),
    ("GET", "/api/v1/entries", {"Authorization": "Bearer poor"}, 403),
    ("GET", "/api/v1/entries", {"Authorization": "Bearer late"}, 503),
    ("POST", "/api/v1/entries", {}, 405),
    ("GET", "/api/v1/entries", {"Content-Length": "99999"}, 413),
    ("GET", "/api/v1/entries?" + "x" * 5000, {}, 414),
    ("POST", "/ping", {}, 405),
    ("GET", "/ready", {}, 503),
]


@pytest.mark.parametrize(("method", "target", "headers", "status"), STATUSES)
async def test_each_status_is_declared_with_its_media_type_and_headers(
    serve: Serve, method: str, target: str, headers: dict[str, str], status: int
) -> None:
    tokens = Tokens({"good": "allowed", "poor": "forbidden", "late": "unavailable"})
    server = await serve(reviewer=tokens, readiness=Reasons("waits"))
    answer = await ask(
        server.port, target, method=method, headers={"Authorization": "Bearer good", **headers}
    )
    assert answer.status == status
    document = msgspec.json.decode(
        openapi.document(app.paths(MemoryLog(), NoSplits()), secured=True)
    )
    declared = document["paths"][target.partition("?")[0]]["get"]["responses"][str(status)]
    if "$ref" in declared:
        declared = document["components"]["responses"][str(status)]
    assert answer.headers["content-type"].partition(";")[0] in declared["content"]
    for header in declared.get("headers", {}):
        assert header.lower() in answer.headers


@pytest.mark.parametrize("path", ["/schema", "/docs", "/swagger", "/redoc"])
async def test_the_framework_adds_no_pages_of_its_own(serve: Serve, path: str) -> None:
    assert (await ask((await serve()).port, path)).status == 404


def _for_people(path: str) -> bool:
    """Whether a browser gets HTML there, or what HTML loads."""
    return not path.startswith(("/api/", "/openapi.json")) and path not in PROBES


def _references(node: Any) -> Any:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
