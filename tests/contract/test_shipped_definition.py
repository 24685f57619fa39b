"""The definition that we ship: what it lets in, and what it refuses at the door."""

from __future__ import annotations

import pytest

from tests.cluster.api import TRAFFICSPLITS, Object
from tests.cluster.prepare import use_shipped_splits
from tests.contract.cluster import Cluster
from tests.contract.wire import SPLIT_KIND, Wire, refusal

VERSIONS = ["v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"]
NUMBERS = [0, 1, 500, 0.5, 1e3, 1e30]
TEXTS = ["0", "500", "500m", "0.5", ".5", "1.", "+5", "1e3", "1E-3", "1Ki", "2k", "7n", " 500m "]
PATTERN = r"^\s*\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?\s*$"
WEIGHT = "spec.backends[0].weight"
NEGATED = f'Invalid value: "": "{WEIGHT}" must not validate the schema (not)'
REFUSED: dict[str, tuple[object, str, str, str]] = {
    "negative": (
        -1,
        "FieldValueInvalid",
        WEIGHT,
        f"Invalid value: -1: {WEIGHT} in body should be greater than or equal to 0",
    ),
    "negative-fraction": (
        -0.5,
        "FieldValueInvalid",
        WEIGHT,
        f"Invalid value: -0.5: {WEIGHT} in body should be greater than or equal to 0",
    ),
    **{
        name: (
            text,
            "FieldValueInvalid",
            WEIGHT,
            f"Invalid value: \"{text}\": {WEIGHT} in body should match '{PATTERN}'",
        )
        for name, text in {
            "negative-text": "-1",
            "word": "lots",
            "empty": "",
            "suffix-alone": "m",
            "percent": "50%",
            "broken-exponent": "1e0.5",
            "two-numbers": "1 2",
        }.items()
    },
    "true": (True, "FieldValueInvalid", "<nil>", NEGATED),
    "false": (False, "FieldValueInvalid", "<nil>", NEGATED),
    "empty-object": ({}, "FieldValueInvalid", "<nil>", NEGATED),
    "empty-list": ([], "FieldValueInvalid", "<nil>", NEGATED),
    "object": ({"a": 1}, "FieldValueTooMany", WEIGHT, "Too many: 1: must have at most 0 items"),
    "list": ([1, 2], "FieldValueTooMany", WEIGHT, "Too many: 2: must have at most 0 items"),
    "null": (None, "FieldValueRequired", WEIGHT, "Required value"),
}


@pytest.fixture
def wire(cluster: Cluster) -> Wire:
    return Wire(cluster)


def invalid(name: str, reason: str, field: str, message: str) -> tuple[int, Object]:
    told = f'TrafficSplit.split.smi-spec.io "{name}" is invalid: {field}: {message}'
    cause = {"reason": reason, "message": message, "field": field}
    return refusal(422, "Invalid", told, name=name, **SPLIT_KIND, causes=[cause])


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_weight_is_a_number_or_a_quantity_in_every_version(
    wire: Wire, version: str
) -> None:
    given = [(f"leaf-{n}", weight) for n, weight in enumerate([*NUMBERS, *TEXTS])]
    body = wire.cluster.split("s", "web", given, version=version)

    status, created = await wire.post(TRAFFICSPLITS.at(version), body)

    assert status == 201, created
    assert [one["weight"] for one in created["spec"]["backends"]] == [*NUMBERS, *TEXTS]
    for other in VERSIONS:
        _, found = await wire.get(TRAFFICSPLITS.at(other), "s")
        assert found["spec"] == created["spec"]


@pytest.mark.parametrize("version", ["v1alpha1", "v1alpha4"])
async def test_what_is_no_weight_is_refused(wire: Wire, version: str) -> None:
    answers = {}
    for case, (weight, *_) in REFUSED.items():
        body = wire.cluster.split("s", "web", [("a", weight)], version=version)
        answers[case] = await wire.post(TRAFFICSPLITS.at(version), body)

    assert answers == {case: invalid("s", *told) for case, (_, *told) in REFUSED.items()}


async def test_a_service_has_a_name(wire: Wire) -> None:
    short = "in body should be at least 1 chars long"
    long = "Too long: may not be more than 253 bytes"
    for name, reason, told in (
        ("", "FieldValueInvalid", f'Invalid value: "": {{}} {short}'),
        ("a" * 254, "FieldValueTooLong", long),
    ):
        apex = await wire.post(TRAFFICSPLITS, wire.cluster.split("s", name, [("a", 1)]))
        leaf = await wire.post(TRAFFICSPLITS, wire.cluster.split("s", "web", [(name, 1)]))
        for field, answer in (("spec.service", apex), ("spec.backends[0].service", leaf)):
            assert answer == invalid("s", reason, field, told.format(field))


async def test_matches_are_kept_in_every_version_and_nulls_are_dropped(wire: Wire) -> None:
    group = {"apiGroup": None, "kind": "HTTPRouteGroup", "name": "users"}
    body = wire.cluster.split("s", "web", [("a", 1)], version="v1alpha3", matches=[group])

    status, created = await wire.post(TRAFFICSPLITS.at("v1alpha3"), body)

    assert status == 201, created
    for version in VERSIONS:
        _, found = await wire.get(TRAFFICSPLITS.at(version), "s")
        assert found["spec"]["matches"] == [{"kind": "HTTPRouteGroup", "name": "users"}]
    status, patched = await wire.patch(TRAFFICSPLITS, "s", {"spec": {"matches": None}})
    assert (status, "matches" in patched["spec"]) == (200, False)


OLD: dict[str, Object] = {
    "word": {"service": "web", "backends": [{"service": "a", "weight": "lots"}]},
    "negative": {"service": "web", "backends": [{"service": "a", "weight": -1}]},
    "nameless": {"service": "", "backends": [{"service": "", "weight": 1}]},
}


@pytest.mark.permissive
@pytest.mark.parametrize("case", OLD)
async def test_what_an_older_definition_let_in_can_still_be_edited_elsewhere_and_go(
    wire: Wire, case: str
) -> None:
    body = {**wire.cluster.split("old", "web", []), "spec": OLD[case]}
    body["metadata"]["finalizers"] = ["tests.io/keep"]
    status, stored = await wire.post(TRAFFICSPLITS, body)
    assert status == 201
    await use_shipped_splits(wire.cluster.api)

    for version in VERSIONS:
        resource = TRAFFICSPLITS.at(version)
        change = {"metadata": {"labels": {"seen": version}, "annotations": {"seen": version}}}
        status, patched = await wire.patch(resource, "old", change)
        assert (status, patched["spec"]) == (200, stored["spec"])
        patched["metadata"]["labels"]["put"] = version
        status, replaced = await wire.put(resource, "old", patched)
        assert (status, replaced["spec"]) == (200, stored["spec"])

    worse = [*stored["spec"]["backends"], {"service": "b", "weight": 1}]
    status, _ = await wire.patch(TRAFFICSPLITS, "old", {"spec": {"backends": worse}})
    assert status == 422
    better = {"service": "web", "backends": [{"service": "a", "weight": 1}]}
    status, _ = await wire.patch(TRAFFICSPLITS, "old", {"spec": better}, dryRun="All")
    assert status == 200
    await wire.delete(TRAFFICSPLITS, "old")
    status, _ = await wire.patch(TRAFFICSPLITS, "old", {"metadata": {"finalizers": None}})
    assert status == 200
    assert (await wire.get(TRAFFICSPLITS, "old"))[0] == 404
