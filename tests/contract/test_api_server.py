"""The sandbox answers as a real kube-apiserver does: the same requests, the same answers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cluster.api import LEASES, NAMESPACES, SERVICEPROFILES, SERVICES, TRAFFICSPLITS, Object
from tests.contract.cluster import Cluster
from tests.contract.wire import (
    CONFIGMAPS,
    JSON,
    MODIFIED,
    SPLIT,
    SPLIT_KIND,
    STALE,
    STRATEGIC,
    Wire,
    owners,
    refusal,
)


@pytest.fixture
def wire(cluster: Cluster) -> Wire:
    return Wire(cluster)


def configmap(name: str, **fields: Any) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **fields}


async def test_a_create_sets_what_only_the_server_knows(wire: Wire) -> None:
    created = await wire.split(
        "s", uid=STALE, generation=7, creationTimestamp="2001-01-01T00:00:00Z", labels={}
    )
    metadata = created["metadata"]
    assert metadata["uid"] != STALE
    assert metadata["generation"] == 1
    assert metadata["creationTimestamp"] > "2001-01-02"
    assert metadata["namespace"] == wire.namespace
    assert "labels" not in metadata
    assert metadata["managedFields"] == [
        {
            "manager": "one",
            "operation": "Update",
            "apiVersion": "split.smi-spec.io/v1alpha1",
            "time": metadata["creationTimestamp"],
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {".": {}, "f:backends": {}, "f:service": {}}},
        }
    ]


async def test_a_second_create_is_refused(wire: Wire) -> None:
    await wire.split("s")
    answer = await wire.post(TRAFFICSPLITS, wire.cluster.split("s", "web", [("a", 1)]))
    message = 'trafficsplits.split.smi-spec.io "s" already exists'
    assert answer == refusal(409, "AlreadyExists", message, name="s", **SPLIT)


async def test_what_is_absent_is_not_found(wire: Wire) -> None:
    message = 'trafficsplits.split.smi-spec.io "none" not found'
    missing = refusal(404, "NotFound", message, name="none", **SPLIT)
    assert await wire.get(TRAFFICSPLITS, "none") == missing
    assert await wire.delete(TRAFFICSPLITS, "none") == missing
    assert await wire.patch(TRAFFICSPLITS, "none", {"spec": {"service": "web"}}) == missing
    body = wire.cluster.split("none", "web", [])
    assert await wire.put(TRAFFICSPLITS, "none", body) == missing


async def test_a_create_in_a_missing_namespace_names_the_namespace(wire: Wire) -> None:
    body = wire.cluster.split("s", "web", [])
    body["metadata"]["namespace"] = "missing"
    answer = await wire.cluster.api.request("POST", TRAFFICSPLITS.path("missing"), json_body=body)
    message = 'namespaces "missing" not found'
    assert answer == refusal(404, "NotFound", message, name="missing", kind="namespaces")


async def test_a_create_in_a_terminating_namespace_tells_its_cause(wire: Wire) -> None:
    held = configmap("held")
    held["metadata"]["finalizers"] = ["tests.smi.linkerd.io/hold"]
    assert (await wire.post(CONFIGMAPS, held))[0] == 201
    await wire.cluster.api.delete(NAMESPACES, wire.namespace)
    answer = await wire.post(
        SERVICEPROFILES,
        {
            "apiVersion": "linkerd.io/v1alpha2",
            "kind": "ServiceProfile",
            "metadata": {"name": "late"},
            "spec": {},
        },
    )
    await wire.patch(CONFIGMAPS, "held", {"metadata": {"finalizers": None}})
    assert answer == refusal(
        403,
        "Forbidden",
        'serviceprofiles.linkerd.io "late" is forbidden: unable to create new content in '
        f"namespace {wire.namespace} because it is being terminated",
        name="late",
        group="linkerd.io",
        kind="serviceprofiles",
        causes=[
            {
                "reason": "NamespaceTerminating",
                "message": f"namespace {wire.namespace} is being terminated",
                "field": "metadata.namespace",
            }
        ],
    )


async def test_the_schema_refuses_wrong_types_and_missing_fields(wire: Wire) -> None:
    body = wire.cluster.split("s", "web", [])
    body["spec"] = {"service": 5}
    status, answer = await wire.post(TRAFFICSPLITS, body)
    typed = 'Invalid value: "integer": spec.service in body must be of type string: "integer"'
    causes = answer["details"].pop("causes")
    # The real server finds them in any order.
    assert sorted(causes, key=lambda cause: str(cause["field"])) == [
        {"reason": "FieldValueRequired", "message": "Required value", "field": "spec.backends"},
        {"reason": "FieldValueTypeInvalid", "message": typed, "field": "spec.service"},
    ]
    told = ", ".join(f"{cause['field']}: {cause['message']}" for cause in causes)
    message = f'TrafficSplit.split.smi-spec.io "s" is invalid: [{told}]'
    assert (status, answer) == refusal(422, "Invalid", message, name="s", **SPLIT_KIND)


async def test_an_unknown_field_is_dropped_or_refused_as_asked(wire: Wire) -> None:
    body = wire.cluster.split("s", "web", [], bogus=1)
    answer = await wire.post(TRAFFICSPLITS, body, fieldValidation="Strict")
    message = (
        'TrafficSplit in version "v1alpha1" cannot be handled as a TrafficSplit: strict decoding '
        'error: unknown field "spec.bogus"'
    )
    assert answer == refusal(400, "BadRequest", message)
    status, created = await wire.post(TRAFFICSPLITS, body)
    assert status == 201
    assert "bogus" not in created["spec"]


@pytest.mark.parametrize("name", ["Upper", "under_score", "-dash", "a" * 254])
async def test_a_bad_name_is_invalid(wire: Wire, name: str) -> None:
    status, body = await wire.post(TRAFFICSPLITS, wire.cluster.split(name, "web", []))
    assert status == 422
    assert body["reason"] == "Invalid"
    assert {cause["field"] for cause in body["details"]["causes"]} == {"metadata.name"}


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (1e3, 1000),
        (500.0, 500),
        (0.5, 0.5),
        (-0.0, 0),
        (2**63 - 1, 2**63 - 1),
        (2**63, 9223372036854776000),
        (1e20, 100000000000000000000),
        (1e21, 1e21),
        (1e-7, 1e-7),
        (123456789.125, 123456789.125),
        ("1e3", "1e3"),
    ],
)
async def test_numbers_are_normalised(wire: Wire, sent: object, stored: object) -> None:
    await wire.split("s")
    backends = [{"service": "a", "weight": sent}]
    status, patched = await wire.patch(TRAFFICSPLITS, "s", {"spec": {"backends": backends}})
    assert status == 200
    weight = patched["spec"]["backends"][0]["weight"]
    assert (weight, type(weight)) == (stored, type(stored))


@pytest.mark.parametrize("sent", [10**400, -(10**400)])
async def test_a_number_that_no_float_holds_is_refused(wire: Wire, sent: int) -> None:
    split = wire.cluster.split("s", "web", [("a", sent)])
    status, answer = await wire.post(TRAFFICSPLITS, split)
    assert (status, answer["reason"]) == (400, "BadRequest")
    assert f"cannot unmarshal number {sent} into Go value of type float64" in answer["message"]
    await wire.split("s")
    status, answer = await wire.patch(TRAFFICSPLITS, "s", {"spec": split["spec"]})
    assert (status, answer["reason"]) == (400, "BadRequest")


async def test_a_merge_patch_merges_maps_and_replaces_the_rest(wire: Wire) -> None:
    await wire.split("s", annotations={"keep": "1", "drop": "1"})
    patch = {
        "metadata": {"annotations": {"drop": None, "new": "1"}},
        "spec": {"backends": [{"service": "c", "weight": 1}]},
    }
    status, patched = await wire.patch(TRAFFICSPLITS, "s", patch)
    assert status == 200
    assert patched["metadata"]["annotations"] == {"keep": "1", "new": "1"}
    assert patched["spec"] == {"service": "web", "backends": [{"service": "c", "weight": 1}]}
    assert patched["metadata"]["generation"] == 2


async def test_a_change_of_metadata_alone_keeps_the_generation(wire: Wire) -> None:
    created = await wire.split("s")
    _, patched = await wire.patch(TRAFFICSPLITS, "s", {"metadata": {"labels": {"a": "b"}}})
    assert patched["metadata"]["generation"] == 1
    assert patched["metadata"]["resourceVersion"] != created["metadata"]["resourceVersion"]


@pytest.mark.parametrize("manager", ["one", "two"])
async def test_a_patch_that_changes_nothing_moves_nothing(wire: Wire, manager: str) -> None:
    created = await wire.split("s")
    answer = await wire.patch(TRAFFICSPLITS, "s", {"spec": {"service": "web"}}, manager)
    assert answer == (200, created)


async def test_a_stale_version_is_a_conflict(wire: Wire) -> None:
    created = await wire.split("s")
    await wire.patch(TRAFFICSPLITS, "s", {"spec": {"service": "other"}})
    version = created["metadata"]["resourceVersion"]
    message = f'Operation cannot be fulfilled on trafficsplits.split.smi-spec.io "s": {MODIFIED}'
    conflict = refusal(409, "Conflict", message, name="s", **SPLIT)
    patch = {"metadata": {"resourceVersion": version}, "spec": {"service": "x"}}
    assert await wire.patch(TRAFFICSPLITS, "s", patch) == conflict
    assert await wire.put(TRAFFICSPLITS, "s", created) == conflict


async def test_a_replacement_must_name_a_version(wire: Wire) -> None:
    await wire.split("s")
    status, body = await wire.put(TRAFFICSPLITS, "s", wire.cluster.split("s", "web", []))
    assert status == 422
    told = "metadata.resourceVersion: Invalid value: 0: must be specified for an update"
    assert body["message"] == f'trafficsplits.split.smi-spec.io "s" is invalid: {told}'


async def test_a_patch_of_another_uid_is_invalid(wire: Wire) -> None:
    await wire.split("s")
    status, body = await wire.patch(TRAFFICSPLITS, "s", {"metadata": {"uid": STALE}})
    assert status == 422
    assert body["details"]["causes"][0]["field"] == "metadata.uid"
    assert body["details"]["causes"][0]["message"].endswith("field is immutable")


async def test_a_json_patch_replaces_what_it_points_at(wire: Wire) -> None:
    await wire.split("s")
    patch = [{"op": "replace", "path": "/spec/backends/0/weight", "value": 9}]
    status, patched = await wire.patch(TRAFFICSPLITS, "s", patch, kind=JSON)
    assert status == 200
    assert patched["spec"]["backends"][0] == {"service": "a", "weight": 9}
    nowhere = [{"op": "replace", "path": "/spec/nowhere/0", "value": 9}]
    message = "the server rejected our request due to an error in our request"
    assert await wire.patch(TRAFFICSPLITS, "s", nowhere, kind=JSON) == (
        422,
        {**refusal(422, "Invalid", message)[1], "details": {}},
    )


async def test_a_strategic_patch_merges_lists_of_built_in_kinds_alone(wire: Wire) -> None:
    await wire.split("s")
    assert (await wire.patch(TRAFFICSPLITS, "s", {}, kind=STRATEGIC))[0] == 415
    ports = [{"name": "http", "port": 80}, {"name": "grpc", "port": 81}]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"ports": ports, "selector": {"app": "web"}},
    }
    await wire.post(SERVICES, service)
    patch = {"spec": {"ports": [{"port": 81, "targetPort": "grpc"}]}}
    status, patched = await wire.patch(SERVICES, "web", patch, "two", kind=STRATEGIC)
    assert status == 200
    assert [(p["port"], p["targetPort"]) for p in patched["spec"]["ports"]] == [
        (80, 80),
        (81, "grpc"),
    ]
    assert owners(patched)["two"] == {
        "f:spec": {"f:ports": {'k:{"port":81,"protocol":"TCP"}': {"f:targetPort": {}}}}
    }


async def test_a_finalizer_keeps_a_deleted_object_until_it_goes(wire: Wire) -> None:
    await wire.split("s", finalizers=["tests.smi.linkerd.io/hold"])
    status, marked = await wire.delete(TRAFFICSPLITS, "s")
    assert status == 200
    assert marked["metadata"]["deletionTimestamp"]
    assert marked["metadata"]["generation"] == 2
    assert (await wire.delete(TRAFFICSPLITS, "s"))[1] == marked
    status, last = await wire.patch(TRAFFICSPLITS, "s", {"metadata": {"finalizers": None}})
    assert status == 200
    assert "finalizers" not in last["metadata"]
    assert (await wire.get(TRAFFICSPLITS, "s"))[0] == 404


async def test_a_delete_honours_its_preconditions(wire: Wire) -> None:
    created = await wire.split("s")
    uid, version = created["metadata"]["uid"], created["metadata"]["resourceVersion"]
    kind = 'Operation cannot be fulfilled on TrafficSplit.split.smi-spec.io "s": the'
    assert await wire.delete(TRAFFICSPLITS, "s", {"preconditions": {"uid": STALE}}) == refusal(
        409,
        "Conflict",
        f"{kind} UID in the precondition ({STALE}) does not match the UID in record ({uid}). The "
        "object might have been deleted and then recreated",
        name="s",
        **SPLIT_KIND,
    )
    older = {"preconditions": {"uid": uid, "resourceVersion": "1"}}
    assert await wire.delete(TRAFFICSPLITS, "s", older) == refusal(
        409,
        "Conflict",
        f"{kind} ResourceVersion in the precondition (1) does not match the ResourceVersion in "
        f"record ({version}). The object might have been modified",
        name="s",
        **SPLIT_KIND,
    )
    newest = {"preconditions": {"uid": uid, "resourceVersion": version}}
    status, body = await wire.delete(TRAFFICSPLITS, "s", newest)
    assert status == 200
    assert body == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {"name": "s", "uid": uid, **SPLIT},
    }


async def test_a_dry_run_changes_nothing(wire: Wire) -> None:
    created = await wire.split("s")
    patch = {"spec": {"service": "x"}}
    _, patched = await wire.patch(TRAFFICSPLITS, "s", patch, dryRun="All")
    assert patched["spec"]["service"] == "x"
    assert patched["metadata"]["generation"] == 2
    await wire.delete(TRAFFICSPLITS, "s", dryRun="All")
    status, _ = await wire.post(TRAFFICSPLITS, wire.cluster.split("t", "x", []), dryRun="All")
    assert status == 201
    assert await wire.get(TRAFFICSPLITS, "s") == (200, created)
    assert (await wire.get(TRAFFICSPLITS, "t"))[0] == 404


async def test_a_generated_name_begins_as_asked(wire: Wire) -> None:
    body = wire.cluster.split("", "web", [])
    body["metadata"] = {"generateName": "web-"}
    _, one = await wire.post(TRAFFICSPLITS, body)
    _, two = await wire.post(TRAFFICSPLITS, body)
    names = {one["metadata"]["name"], two["metadata"]["name"]}
    assert len(names) == 2
    assert all(name.startswith("web-") and len(name) == 9 for name in names)


async def test_a_lease_is_taken_by_whoever_names_its_version(wire: Wire) -> None:
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "smi-adaptor"},
        "spec": {"holderIdentity": "a", "leaseDurationSeconds": 15},
    }
    status, created = await wire.post(LEASES, lease)
    assert status == 201
    created["spec"]["holderIdentity"] = "b"
    assert (await wire.put(LEASES, "smi-adaptor", created))[0] == 200
    created["spec"]["holderIdentity"] = "c"
    status, body = await wire.put(LEASES, "smi-adaptor", created)
    assert (status, body["reason"]) == (409, "Conflict")


async def test_items_of_built_in_kinds_name_no_kind(wire: Wire) -> None:
    await wire.post(CONFIGMAPS, configmap("a", data={"k": "v"}))
    await wire.split("s")
    _, plain = await wire.get(CONFIGMAPS)
    _, custom = await wire.get(TRAFFICSPLITS)
    mine = [item for item in plain["items"] if item["metadata"]["name"] == "a"]
    assert set(mine[0]) == {"metadata", "data"}
    assert custom["items"][0]["kind"] == "TrafficSplit"
    assert custom["kind"] == "TrafficSplitList"


async def test_a_path_nobody_serves_is_plain_text(wire: Wire) -> None:
    for path in ("/apis/nothing.io/v1/things", "/apis/split.smi-spec.io/v9/trafficsplits"):
        assert await wire.cluster.api.request("GET", path) == (
            404,
            {"text": "404 page not found\n"},
        )
