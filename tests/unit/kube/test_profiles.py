"""Writes of profiles: what is sent, what comes back, and how many at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

import pytest

from reactor.errors import ReactorError, Retryable, Terminal
from reactor.kube.connection import Response
from reactor.kube.profiles import Profiles
from reactor.model.serviceprofile import Override

from .objects import decode_profile

NAME = "web.ns.svc.cluster.local"
COLLECTION = "/apis/linkerd.io/v1alpha2/namespaces/ns/serviceprofiles"
OVERRIDES = (Override("web.ns.svc.cluster.local", "500m"),)
STORED = {
    "apiVersion": "linkerd.io/v1alpha2",
    "kind": "ServiceProfile",
    "metadata": {"name": NAME, "namespace": "ns", "uid": "u", "resourceVersion": "8"},
    "spec": {"dstOverrides": [{"authority": "web.ns.svc.cluster.local", "weight": "500m"}]},
}


class Server:
    def __init__(self, answer: bytes = json.dumps(STORED).encode()) -> None:
        self.answer = answer
        self.fault: ReactorError | None = None
        self.sent: list[tuple[str, str, Mapping[str, str] | None, object, str | None]] = []
        self.running = 0
        self.most = 0

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str | None = None,
        resource: str = "",
        **rest: object,
    ) -> Response:
        assert resource == "serviceprofiles"
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        self.sent.append((method, path, query, json.loads(body) if body else None, content_type))
        if self.fault is not None:
            raise self.fault
        return Response(200, {}, self.answer)


def profiles(server: Server) -> Profiles:
    return Profiles(connection=server, decode=decode_profile)


async def test_a_create_names_the_field_manager_and_returns_the_stored_profile() -> None:
    server = Server()
    stored = await profiles(server).create("ns", NAME, OVERRIDES)
    assert stored.overrides == OVERRIDES
    assert stored.meta.resource_version == "8"
    ((method, path, query, body, _),) = server.sent
    assert (method, path, query) == ("POST", COLLECTION, {"fieldManager": "smi-adaptor"})
    assert isinstance(body, dict)
    assert body["metadata"]["name"] == NAME


async def test_a_patch_is_a_merge_patch_of_the_overrides_at_a_version() -> None:
    server = Server()
    await profiles(server).patch("ns", NAME, OVERRIDES, "7")
    ((method, path, query, body, kind),) = server.sent
    assert (method, path) == ("PATCH", f"{COLLECTION}/{NAME}")
    assert query == {"fieldManager": "smi-adaptor"}
    assert kind == "application/merge-patch+json"
    assert isinstance(body, dict)
    assert body["metadata"] == {"resourceVersion": "7"}
    assert list(body["spec"]) == ["dstOverrides"]


async def test_a_delete_is_of_one_uid_at_one_version() -> None:
    server = Server(b'{"kind":"Status","status":"Success"}')
    assert await profiles(server).delete("ns", NAME, "u", "7")
    ((method, _, _, body, _),) = server.sent
    assert method == "DELETE"
    assert isinstance(body, dict)
    assert body["preconditions"] == {"uid": "u", "resourceVersion": "7"}


async def test_a_delete_that_a_finalizer_holds_up_is_not_done() -> None:
    assert not await profiles(Server()).delete("ns", NAME, "u", "7")


async def test_a_profile_that_is_not_there_is_none() -> None:
    server = Server()
    server.fault = Terminal("404", status=404, reason="NotFound")
    assert await profiles(server).get("ns", NAME) is None
    for fault in (Terminal("403", status=403), Terminal("404 page not found", status=404)):
        server.fault = fault
        with pytest.raises(Terminal):
            await profiles(server).get("ns", NAME)


async def test_an_answer_that_is_no_profile_may_have_been_a_write() -> None:
    with pytest.raises(Retryable) as caught:
        await profiles(Server(b"<html>")).patch("ns", NAME, OVERRIDES, "7")
    assert caught.value.sent


async def test_at_most_32_writes_are_in_flight() -> None:
    server = Server()
    writer = profiles(server)
    await asyncio.gather(*(writer.create("ns", NAME, OVERRIDES) for _ in range(100)))
    assert server.most == 32
