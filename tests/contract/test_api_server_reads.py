"""Lists, watches and rights: the sandbox reads as a real kube-apiserver does."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from tests.cluster.api import SERVICES, TRAFFICSPLITS, Api, ApiError, Object, Objects
from tests.cluster.control_plane import STRANGER
from tests.contract.cluster import Cluster
from tests.contract.wire import SPLIT, Wire, refusal


@pytest.fixture
def wire(cluster: Cluster) -> Wire:
    return Wire(cluster)


def brief(event: Object) -> tuple[str, str]:
    return event["type"], event["object"]["metadata"].get("name", "")


async def events(wire: Wire, count: int, *, since: str | None = None, **query: str) -> Objects:
    """The first `count` events of a watch."""
    found: Objects = []
    watch = wire.cluster.api.watch(TRAFFICSPLITS, wire.namespace, resource_version=since, **query)
    async with asyncio.timeout(45), aclosing(watch) as stream:
        async for event in stream:
            found.append(event)
            if len(found) == count:
                return found
    return found


async def test_a_list_comes_in_chunks_that_agree_with_each_other(wire: Wire) -> None:
    for name in ("a", "b", "c", "d", "e"):
        await wire.split(name)
    _, first = await wire.get(TRAFFICSPLITS, limit="2")
    assert first["metadata"]["remainingItemCount"] == 3
    await wire.delete(TRAFFICSPLITS, "c")
    await wire.split("f")
    names, page = [item["metadata"]["name"] for item in first["items"]], first
    while page["metadata"].get("continue"):
        token = page["metadata"]["continue"]
        _, page = await wire.get(TRAFFICSPLITS, limit="2", **{"continue": token})
        assert page["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
        names += [item["metadata"]["name"] for item in page["items"]]
    assert names == ["a", "b", "c", "d", "e"]


async def test_selectors_choose(wire: Wire) -> None:
    await wire.split("a", labels={"tier": "one"})
    await wire.split("b", labels={"tier": "two"})
    await wire.split("c")

    async def chosen(**query: str) -> list[str]:
        _, body = await wire.get(TRAFFICSPLITS, **query)
        return [item["metadata"]["name"] for item in body["items"]]

    assert await chosen(labelSelector="tier=one") == ["a"]
    assert await chosen(labelSelector="tier!=one") == ["b", "c"]
    assert await chosen(labelSelector="tier in (one,two)") == ["a", "b"]
    assert await chosen(labelSelector="!tier") == ["c"]
    assert await chosen(labelSelector="tier,tier notin (two)") == ["a"]
    assert await chosen(fieldSelector="metadata.name=b") == ["b"]
    status, body = await wire.get(TRAFFICSPLITS, fieldSelector="spec.bogus=b")
    assert (status, body["message"]) == (400, "field label not supported: spec.bogus")


async def test_a_version_from_the_future_times_out(wire: Wire) -> None:
    status, body = await wire.get(TRAFFICSPLITS, resourceVersion="99999999")
    assert (status, body["reason"]) == (504, "Timeout")
    assert body["message"].startswith("Timeout: Too large resource version: 99999999, current: ")
    assert body["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


async def test_a_watch_tells_what_happened_since_a_version(wire: Wire) -> None:
    created = await wire.split("a")
    await wire.patch(TRAFFICSPLITS, "a", {"spec": {"service": "x"}})
    await wire.split("b")
    await wire.delete(TRAFFICSPLITS, "a")
    seen = await events(wire, 3, since=created["metadata"]["resourceVersion"])
    assert [brief(event) for event in seen] == [("MODIFIED", "a"), ("ADDED", "b"), ("DELETED", "a")]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in seen]
    assert versions == sorted(versions)
    assert seen[2]["object"]["spec"]["service"] == "x"


async def test_a_watch_without_a_version_begins_with_all_there_is(wire: Wire) -> None:
    await wire.split("a")
    await wire.split("b")
    assert sorted(brief(event) for event in await events(wire, 2)) == [
        ("ADDED", "a"),
        ("ADDED", "b"),
    ]


async def test_a_watch_speaks_the_version_it_was_asked_in(wire: Wire) -> None:
    await wire.split("a")
    watch = wire.cluster.api.watch(TRAFFICSPLITS.at("v1alpha3"), wire.namespace)
    async with asyncio.timeout(45), aclosing(watch) as stream:
        event = await anext(stream)
    assert event["object"]["apiVersion"] == "split.smi-spec.io/v1alpha3"


async def test_an_object_enters_and_leaves_a_selection(wire: Wire) -> None:
    created = await wire.split("a")
    for labels in ({"in": "1"}, {"in": "1", "more": "1"}, {"in": None}):
        await wire.patch(TRAFFICSPLITS, "a", {"metadata": {"labels": labels}})
    version = created["metadata"]["resourceVersion"]
    seen = await events(wire, 3, since=version, labelSelector="in")
    assert [event["type"] for event in seen] == ["ADDED", "MODIFIED", "DELETED"]


async def test_a_watch_ends_when_its_time_is_up(wire: Wire) -> None:
    assert await events(wire, 9, timeoutSeconds="1") == []


async def test_initial_events_end_with_a_bookmark(wire: Wire) -> None:
    await wire.split("a")
    seen = await events(
        wire,
        2,
        sendInitialEvents="true",
        resourceVersionMatch="NotOlderThan",
        allowWatchBookmarks="true",
    )
    assert [event["type"] for event in seen] == ["ADDED", "BOOKMARK"]
    annotations = seen[1]["object"]["metadata"]["annotations"]
    assert annotations == {"k8s.io/initial-events-end": "true"}


async def test_a_user_without_rights_is_told_what_is_forbidden(
    wire: Wire, cluster: Cluster
) -> None:
    await wire.split("a")
    async with Api.connect(cluster.kubeconfig, token=token(cluster)) as stranger:
        path = TRAFFICSPLITS.path(wire.namespace)
        user = f'User "{STRANGER}" cannot'
        group = 'in API group "split.smi-spec.io"'
        here = f'in the namespace "{wire.namespace}"'
        kind = "trafficsplits.split.smi-spec.io"
        resource = 'resource "trafficsplits"'
        assert await stranger.request("GET", f"{path}/a") == refusal(
            403,
            "Forbidden",
            f'{kind} "a" is forbidden: {user} get {resource} {group} {here}',
            name="a",
            **SPLIT,
        )
        assert await stranger.request("GET", path) == refusal(
            403, "Forbidden", f"{kind} is forbidden: {user} list {resource} {group} {here}", **SPLIT
        )
        assert await stranger.request("GET", path, params={"watch": "1"}) == refusal(
            403,
            "Forbidden",
            f"{kind} is forbidden: {user} watch {resource} {group} {here}",
            **SPLIT,
        )
        assert await stranger.request("GET", TRAFFICSPLITS.path()) == refusal(
            403,
            "Forbidden",
            f"{kind} is forbidden: {user} list {resource} {group} at the cluster scope",
            **SPLIT,
        )
        status, body = await stranger.request("GET", "/metrics")
        assert (status, body["message"]) == (403, f'forbidden: {user} get path "/metrics"')


async def test_the_adaptors_role_lets_it_read_splits_and_not_change_them(
    wire: Wire, cluster: Cluster
) -> None:
    await wire.split("a")
    async with Api.connect(cluster.kubeconfig) as adaptor:
        (found,) = await adaptor.items(TRAFFICSPLITS, wire.namespace)
        assert found["metadata"]["name"] == "a"
        with pytest.raises(ApiError, match="cannot delete resource") as refused:
            await adaptor.delete(TRAFFICSPLITS, "a", wire.namespace)
        assert refused.value.status == 403
        with pytest.raises(ApiError, match="cannot get resource"):
            await adaptor.get(SERVICES, "a", wire.namespace)


async def test_an_unknown_token_is_unauthorized(wire: Wire, cluster: Cluster) -> None:
    async with Api.connect(cluster.kubeconfig, token="bogus") as nobody:
        answer = await nobody.request("GET", TRAFFICSPLITS.path(wire.namespace))
    assert answer == refusal(401, "Unauthorized", "Unauthorized")


async def test_a_token_review_tells_whose_token_it_is(wire: Wire, cluster: Cluster) -> None:
    async def review(asked: str) -> Object:
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": asked},
        }
        path = "/apis/authentication.k8s.io/v1/tokenreviews"
        status, answer = await cluster.api.request("POST", path, json_body=body)
        assert status == 201
        found: Object = answer["status"]
        return found

    assert await review("bogus") == {"user": {}, "error": "invalid bearer token"}
    known = await review(token(cluster))
    assert known["authenticated"] is True
    assert known["user"]["username"] == STRANGER
    assert "system:authenticated" in known["user"]["groups"]


@pytest.mark.parametrize(("user", "allowed"), [("smi-adaptor", True), (STRANGER, False)])
async def test_an_access_review_answers_by_the_roles(
    cluster: Cluster, user: str, allowed: bool
) -> None:
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": user,
            "resourceAttributes": {
                "verb": "list",
                "group": "split.smi-spec.io",
                "resource": "trafficsplits",
            },
        },
    }
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    status, answer = await cluster.api.request("POST", path, json_body=body)
    assert status == 201
    assert answer["status"]["allowed"] is allowed


async def test_discovery_lists_the_kinds_of_a_group(cluster: Cluster) -> None:
    status, body = await cluster.api.request("GET", "/apis/split.smi-spec.io/v1alpha1")
    assert status == 200
    entry = body["resources"][0]
    entry.pop("storageVersionHash")
    assert body["groupVersion"] == "split.smi-spec.io/v1alpha1"
    assert entry == {
        "name": "trafficsplits",
        "singularName": "trafficsplit",
        "namespaced": True,
        "kind": "TrafficSplit",
        "verbs": [
            "delete",
            "deletecollection",
            "get",
            "list",
            "patch",
            "create",
            "update",
            "watch",
        ],
        "shortNames": ["ts"],
    }
    _, group = await cluster.api.request("GET", "/apis/split.smi-spec.io")
    assert [version["version"] for version in group["versions"]] == [
        "v1alpha4",
        "v1alpha3",
        "v1alpha2",
        "v1alpha1",
    ]


def token(cluster: Cluster) -> str:
    """The token of a user without rights."""
    if cluster.sandbox is not None:
        return cluster.sandbox.add_user(STRANGER)
    assert cluster.plane is not None
    return cluster.plane.tokens[STRANGER]
