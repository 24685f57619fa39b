"""Objects at the wire: what the contract doesn't compare, or can't on a real server."""

from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import Path

import pytest

from reactor.sandbox.server import Sandbox
from tests.unit.sandbox.client import CONFIGMAPS, SPLITS, Client, configmap, split

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


async def test_two_mebibytes_are_just_a_big_object(sandbox: Sandbox, client: Client) -> None:
    big = split("big", annotations={"big": "x" * 2**21})
    created = await client.create(SPLITS, big)
    assert created["metadata"]["annotations"] == big["metadata"]["annotations"]
    async with client.watch(SPLITS) as stream:
        await stream._response.content.readany()


async def test_beyond_three_mebibytes_a_request_is_refused(client: Client) -> None:
    status, body = await client.send("POST", SPLITS, split("x", annotations={"a": "x" * 2**22}))
    assert (status, body["reason"]) == (413, "RequestEntityTooLarge")
    assert body["message"] == "Request entity too large: limit is 3145728"


async def test_an_old_continue_token_expires_and_offers_another(
    sandbox: Sandbox, client: Client
) -> None:
    for name in "abcd":
        sandbox.cluster.create(split(name))
    _, first = await client.get(SPLITS, limit="2")
    sandbox.cluster.remove("trafficsplits", "a", "default")
    sandbox.faults.compact()
    token = first["metadata"]["continue"]
    status, body = await client.get(SPLITS, **{"limit": "2", "continue": token})
    assert (status, body["reason"]) == (410, "Expired")
    assert body["message"].startswith("The provided continue parameter is too old")
    _, rest = await client.get(SPLITS, **{"continue": body["metadata"]["continue"]})
    assert [item["metadata"]["name"] for item in rest["items"]] == ["c", "d"]


async def test_names_are_listed_in_the_order_of_their_keys(
    sandbox: Sandbox, client: Client
) -> None:
    for namespace in ("a-b", "a"):
        sandbox.cluster.put(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        )
        for name in ("z", "a"):
            sandbox.cluster.create(configmap(name, namespace))
    _, body = await client.get("/api/v1/configmaps")
    names = [(i["metadata"]["namespace"], i["metadata"]["name"]) for i in body["items"]]
    assert names == [("a-b", "a"), ("a-b", "z"), ("a", "a"), ("a", "z")]
    _, body = await client.get("/api/v1/namespaces/a/configmaps", limit="1")
    _, rest = await client.get(
        "/api/v1/namespaces/a/configmaps", **{"continue": body["metadata"]["continue"]}
    )
    assert [item["metadata"]["name"] for item in rest["items"]] == ["z"]


async def test_a_list_at_an_exact_version_shows_the_past(sandbox: Sandbox, client: Client) -> None:
    sandbox.cluster.create(split("a"))
    before = str(sandbox.cluster.version)
    sandbox.cluster.remove("trafficsplits", "a", "default")
    _, past = await client.get(SPLITS, resourceVersion=before, resourceVersionMatch="Exact")
    assert [item["metadata"]["name"] for item in past["items"]] == ["a"]
    assert past["metadata"]["resourceVersion"] == before
    _, now = await client.get(SPLITS, resourceVersion=before)
    assert now["items"] == []


async def test_a_collection_is_deleted_by_its_selector(sandbox: Sandbox, client: Client) -> None:
    sandbox.cluster.create(split("a", labels={"app": "x"}))
    sandbox.cluster.create(split("b"))
    status, deleted = await client.send("DELETE", SPLITS, labelSelector="app=x")
    assert status == 200
    assert [item["metadata"]["name"] for item in deleted["items"]] == ["a"]
    assert sandbox.cluster.count("trafficsplits") == 1


async def test_the_status_endpoint_changes_the_status_alone(
    sandbox: Sandbox, client: Client
) -> None:
    path = "/apis/apps/v1/namespaces/default/deployments"
    await client.create(
        path,
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {
                "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "web", "image": "web"}]},
                },
            },
        },
    )
    change = {"spec": {"replicas": 5}, "status": {"readyReplicas": 1}}
    _, changed = await client.merge(f"{path}/web/status", change)
    assert changed["spec"]["replicas"] == 1
    assert changed["status"]["readyReplicas"] == 1
    assert changed["metadata"]["generation"] == 1
    _, changed = await client.merge(f"{path}/web", {"status": {"readyReplicas": 9}})
    assert changed["status"]["readyReplicas"] == 1
    _, table = await client.send("GET", path, accept=TABLE)
    assert table["rows"][0]["cells"][:2] == ["web", "1/1"]


async def test_a_warning_tells_of_dropped_fields(sandbox: Sandbox) -> None:
    async with Client.connect(sandbox) as client:
        body = split("a")
        body["spec"]["bogus"] = 1
        async with client._session.post(
            sandbox.url + SPLITS, json=body, params={"fieldValidation": "Warn"}
        ) as response:
            assert response.headers["Warning"] == '299 - "unknown field \\"spec.bogus\\""'


async def test_a_secret_keeps_its_plain_text_as_base64(client: Client) -> None:
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "stringData": {"key": "value"},
    }
    created = await client.create("/api/v1/namespaces/default/secrets", body)
    assert created["data"] == {"key": base64.b64encode(b"value").decode()}
    assert "stringData" not in created


async def test_a_body_may_be_yaml(sandbox: Sandbox, client: Client) -> None:
    async with client._session.post(
        sandbox.url + CONFIGMAPS,
        data="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: y}\ndata: {a: b}\n",
        headers={"Content-Type": "application/yaml"},
    ) as response:
        assert response.status == 201


async def test_server_side_apply_is_refused_in_clear_words(client: Client) -> None:
    status, body = await client.send(
        "PATCH", f"{SPLITS}/a", split("a"), kind="application/apply-patch+yaml"
    )
    assert status in (404, 415)
    sandbox_split = await client.create(SPLITS, split("a"))
    status, body = await client.send(
        "PATCH", f"{SPLITS}/a", sandbox_split, kind="application/apply-patch+yaml"
    )
    assert status == 415
    assert "server-side apply" in body["message"]


async def test_one_user_may_act_as_another_when_a_role_says_so(
    sandbox: Sandbox, client: Client
) -> None:
    path = sandbox.url + SPLITS
    async with client._session.get(path, headers={"Impersonate-User": "nobody"}) as response:
        assert response.status == 403
        assert 'User "nobody" cannot list' in (await response.json())["message"]
    async with (
        Client.connect(sandbox, sandbox.add_user("nobody")) as nobody,
        nobody._session.get(path, headers={"Impersonate-User": "sandbox-admin"}) as response,
    ):
        assert (
            'User "nobody" cannot impersonate resource "users"'
            in (await response.json())["message"]
        )


async def test_a_user_without_a_token_is_anonymous(sandbox: Sandbox) -> None:
    async with Client.connect(sandbox, "") as anybody:
        assert (await anybody.get("/version"))[0] == 200
        status, body = await anybody.get(SPLITS)
        assert status == 403
        assert 'User "system:anonymous" cannot list' in body["message"]


async def test_a_kubeconfig_is_for_its_owners_eyes(sandbox: Sandbox, tmp_path: Path) -> None:
    path = sandbox.write_kubeconfig(tmp_path / "config", user="smi-adaptor")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    config = json.loads(path.read_text())
    assert config["clusters"][0]["cluster"]["server"] == sandbox.url
    assert config["users"][0]["user"]["token"] == sandbox.add_user("smi-adaptor")
    assert os.listdir(tmp_path) == ["config"]


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/readyz/ping"])
async def test_health_is_open_to_all_who_have_a_token(client: Client, path: str) -> None:
    assert await client.get(path) == (200, {"text": "ok"})


async def test_openapi_promises_field_validation_for_every_kind(
    sandbox: Sandbox, client: Client
) -> None:
    _, index = await client.get("/openapi/v3")
    assert "apis/split.smi-spec.io/v1alpha2" in index["paths"]
    for path in index["paths"]:
        _, document = await client.get(f"/openapi/v3/{path}")
        for operations in document["paths"].values():
            for operation in operations.values():
                names = {parameter["name"] for parameter in operation["parameters"]}
                assert "fieldValidation" in names
                assert operation["x-kubernetes-group-version-kind"]["kind"]


async def test_all_of_discovery_comes_in_one_answer(client: Client) -> None:
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    _, core = await client.send("GET", "/api", accept=accept)
    _, groups = await client.send("GET", "/apis", accept=accept)
    assert core["items"][0]["versions"][0]["version"] == "v1"
    names = {item["metadata"]["name"] for item in groups["items"]}
    assert {"apps", "split.smi-spec.io", "linkerd.io"} <= names


async def test_a_table_shows_the_age_in_kubectls_words(client: Client) -> None:
    await client.create(CONFIGMAPS, configmap("c", data={"a": "1", "b": "2"}))
    _, table = await client.send("GET", CONFIGMAPS, accept=TABLE)
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    cells = table["rows"][0]["cells"]
    assert cells[:2] == ["c", 2]
    assert cells[2].endswith("s")
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
