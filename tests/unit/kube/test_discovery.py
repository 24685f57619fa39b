"""Which version of a group is watched."""

from __future__ import annotations

import json

import pytest

from reactor.errors import ReactorError, Retryable, Terminal
from reactor.kube.connection import Response
from reactor.kube.discovery import Fixed, Newest


class Group:
    """Serves these versions; a fault instead, if there is one."""

    def __init__(self, *versions: str, fault: ReactorError | None = None) -> None:
        self._versions = versions
        self._fault = fault

    async def request(self, method: str, path: str, **rest: object) -> Response:
        assert (method, path) == ("GET", "/apis/split.smi-spec.io")
        if self._fault is not None:
            raise self._fault
        versions = [{"groupVersion": f"x/{v}", "version": v} for v in self._versions]
        return Response(200, {}, json.dumps({"kind": "APIGroup", "versions": versions}).encode())


async def path(group: Group) -> str | None:
    newest = Newest(
        connection=group,
        group="split.smi-spec.io",
        plural="trafficsplits",
        versions=("v1alpha4", "v1alpha3", "v1alpha2", "v1alpha1"),
    )
    return await newest.path()


async def test_the_newest_version_that_we_know_is_taken_whatever_is_preferred() -> None:
    found = await path(Group("v1", "v1alpha1", "v1alpha3", "v1alpha2"))
    assert found == "/apis/split.smi-spec.io/v1alpha3/trafficsplits"


async def test_versions_that_we_do_not_know_are_none() -> None:
    assert await path(Group("v1", "v1beta1")) is None


async def test_a_group_that_is_not_there_is_none() -> None:
    assert await path(Group(fault=Terminal("404", status=404))) is None


@pytest.mark.parametrize("fault", [Retryable("503"), Terminal("403", status=403)])
async def test_no_answer_is_no_proof_of_absence(fault: ReactorError) -> None:
    with pytest.raises(type(fault)):
        await path(Group(fault=fault))


async def test_a_fixed_collection_is_never_asked_for() -> None:
    assert await Fixed("/api/v1/services").path() == "/api/v1/services"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"versions": "all"}', b"\xff", b""])
async def test_an_answer_that_is_no_group_is_asked_for_again(body: bytes) -> None:
    class Proxy(Group):
        async def request(self, method: str, path: str, **rest: object) -> Response:
            return Response(200, {}, body)

    with pytest.raises(Retryable, match="no APIGroup"):
        await path(Proxy())
