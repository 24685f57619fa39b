"""What /openapi.json says: made from the same tables and structs that the routes use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from reactor import __version__
from reactor.admin import export, filters, proof, tail, wire
from reactor.admin.problem import MEDIA_TYPE, Problem
from reactor.admin.question import Parameter
from reactor.admin.route import Route

_REFERENCE = "#/components/schemas/{name}"

_TIME = {"type": "string", "format": "date-time"}
_CLOSER: Final[dict[tuple[str, str], Any]] = {
    ("Entry", "detail"): {"type": "object"},
    ("Entry", "kind"): {"type": "string", "enum": list(filters.KINDS)},
    ("Entry", "at"): _TIME,
    ("Weight", "weight"): {},
    ("Place", "at"): _TIME,
    ("Gap", "first"): _TIME,
    ("Gap", "last"): _TIME,
    ("Stats", "oldest"): {"anyOf": [_TIME, {"type": "null"}]},
    ("Stats", "newest"): {"anyOf": [_TIME, {"type": "null"}]},
    ("Archive", "oldest"): {"anyOf": [_TIME, {"type": "null"}]},
    ("Archive", "newest"): {"anyOf": [_TIME, {"type": "null"}]},
    ("Cluster", "newest"): {"anyOf": [_TIME, {"type": "null"}]},
    ("Writer", "newest"): _TIME,
    ("Loss", "noticed"): _TIME,
    ("Ending", "at"): _TIME,
    ("Split", "since"): {"anyOf": [_TIME, {"type": "null"}]},
    ("Run", "settings"): {"type": "object"},
    ("Run", "started"): _TIME,
    ("Run", "ended"): {"anyOf": [_TIME, {"type": "null"}]},
}
"""What the structs' types don't tell."""

_SOURCE: Final = {
    "X-Log-Source": {
        "description": "Which log answers, where there is an archive: `archive`, or with what it "
        "lacks of this adaptor's rows `archive; lag-rows=N; lag-seconds=S`; `local`, this "
        "adaptor's own, or `local; archive-lacks-rows=N` while the archive can't be asked.",
        "schema": {"type": "string", "pattern": "^(archive|local)(; [a-z-]+=[0-9.]+)*$"},
    }
}

_PROBLEMS = {
    400: "A parameter is unknown, repeated or wrong; `errors` names each and what is allowed.",
    401: "No bearer token, or none that the API server knows.",
    403: "The token may not get this path.",
    405: "Only GET and HEAD are answered.",
    413: "The request brings a body, and a long one.",
    414: "The URL is too long.",
    500: "A fault of the program.",
    503: "The log can't be read, or the token can't be checked now.",
}


def document(routes: Sequence[Route], *, secured: bool) -> bytes:
    """Return the document as JSON; ``secured`` says that bearer tokens are asked for."""
    structs = [route.body for route in routes if issubclass(route.body, msgspec.Struct)]
    _, schemas = msgspec.json.schema_components(
        (*structs, wire.Verdict, Problem), ref_template=_REFERENCE
    )
    for (name, field), schema in _CLOSER.items():
        schemas[name]["properties"][field] = schema
    components: dict[str, Any] = {
        "schemas": schemas,
        "responses": {
            str(status): {
                "description": said,
                "content": {MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(name="Problem")}}},
            }
            for status, said in _PROBLEMS.items()
        },
    }
    components["responses"]["401"]["headers"] = _header("WWW-Authenticate", required=True)
    components["responses"]["405"]["headers"] = _header("Allow", required=True)
    components["responses"]["503"]["headers"] = _header("Retry-After", required=True)
    if secured:
        components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "smi-adaptor",
                "version": __version__,
                "description": "Probes, metrics and the audit log of the SMI adaptor.",
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "paths": _paths(routes, secured=secured),
            "components": components,
        }
    )


def _paths(routes: Sequence[Route], *, secured: bool) -> dict[str, Any]:
    ok = _text("It is.")
    return {
        "/ping": _get("Is the port open?", {"200": _text("pong")}),
        "/live": _get("Does the program run?", {"200": ok}),
        "/ready": _get(
            "Does it do its work?",
            {"200": ok, "503": _text("What it waits for, one reason a line.")},
        ),
        "/metrics": _get("Metrics in Prometheus' text format.", {"200": _text("The metrics.")}),
        "/openapi.json": _get(
            "This document.",
            {"200": _json("OpenAPI 3.1.", {"type": "object"}), **_access(secured)},
            secured=secured,
        ),
        **{route.path: _route(route, secured=secured) for route in routes},
        export.PATH: _get(
            "All entries that pass the filters, the oldest first. The last line says whether they "
            "are complete; without one the connection broke.",
            {
                "200": {
                    "headers": _SOURCE,
                    "description": "One line per entry, and one at the end.",
                    "content": {
                        media_type: {"schema": {"type": "string"}}
                        for media_type in export.MEDIA_TYPES.values()
                    },
                },
                **_problems(400, 503),
                **_access(secured),
            },
            parameters=[_parameter(parameter, "query") for parameter in export.PARAMETERS],
            secured=secured,
        ),
        proof.PATH: _get(
            "Reads the whole log, and proves that it is as it was written or names the first row "
            "that isn't; with an archive, all logs that lie there. It takes as long as it takes: "
            "blanks come before the answer.",
            {
                "200": _logged("The verdict.", {"$ref": _REFERENCE.format(name="Verdict")}),
                **_problems(400, 503),
                **_access(secured),
            },
            parameters=[_parameter(proof.ANCHOR, "query")],
            secured=secured,
        ),
        tail.PATH: _get(
            "Entries as they are written, from now on or from the one after the last that came.",
            {
                "200": {
                    "headers": _SOURCE,
                    "description": "One event, or one line, per entry, without an end.",
                    "content": {
                        "text/event-stream": {"schema": {"type": "string"}},
                        "application/x-ndjson": {"schema": {"type": "string"}},
                    },
                },
                "404": _missing("The entry to begin after is not there, or not any more."),
                **_problems(400, 503),
                **_access(secured),
            },
            parameters=[
                *(_parameter(parameter, "query") for parameter in tail.PARAMETERS),
                {**_parameter(tail.AFTER, "header"), "name": "Last-Event-ID"},
            ],
            secured=secured,
        ),
    }


def _route(route: Route, *, secured: bool) -> dict[str, Any]:
    struct = issubclass(route.body, msgspec.Struct)
    schema = {"$ref": _REFERENCE.format(name=route.body.__name__)} if struct else {"type": "object"}
    responses = {"200": _logged("The answer.", schema), **_problems(400, 503), **_access(secured)}
    if route.missing is not None:
        responses["404"] = _missing(route.missing)
    return _get(
        route.summary,
        responses,
        parameters=[
            *(_parameter(place, "path") for place in route.places),
            *(_parameter(parameter, "query") for parameter in route.parameters),
        ],
        secured=secured,
    )


def _missing(description: str) -> dict[str, Any]:
    problem = {"schema": {"$ref": _REFERENCE.format(name="Problem")}}
    return {"description": description, "content": {MEDIA_TYPE: problem}}


def _parameter(parameter: Parameter, where: str) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": where,
        "required": parameter.required or where == "path",
        "description": f"{parameter.meaning} Allowed: {parameter.allowed}.",
        "schema": parameter.schema,
    }


def _get(
    summary: str,
    responses: dict[str, Any],
    *,
    parameters: list[dict[str, Any]] | None = None,
    secured: bool = False,
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": summary,
        "responses": {**responses, **_problems(405, 413, 414, 500)},
        "security": [{"bearer": []}] if secured else [],
    }
    if parameters:
        operation["parameters"] = parameters
    return {"get": operation}


def _access(secured: bool) -> dict[str, Any]:
    return _problems(401, 403, 503) if secured else {}


def _problems(*statuses: int) -> dict[str, Any]:
    return {str(s): {"$ref": f"#/components/responses/{s}"} for s in statuses}


def _text(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"text/plain": {"schema": {"type": "string"}}}}


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _logged(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {**_json(description, schema), "headers": _SOURCE}


def _header(name: str, *, required: bool) -> dict[str, Any]:
    return {name: {"required": required, "schema": {"type": "string"}}}
