"""Who may read the audit API: the API server's word counts, on either server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from tests.cluster.api import Resource
from tests.cluster.control_plane import STRANGER
from tests.contract.adaptor import Adaptor
from tests.contract.cluster import Cluster

GROUP = "rbac.authorization.k8s.io"
BINDINGS = Resource(GROUP, "v1", "clusterrolebindings", namespaced=False)
ENTRIES = "/api/v1/entries"
READERS = "smi-adaptor-audit-reader"
"""The role for readers that config/rbac ships, bound to nobody."""


def token_of_a_stranger(cluster: Cluster) -> str:
    if cluster.sandbox is not None:
        return cluster.sandbox.add_user(STRANGER)
    assert cluster.plane is not None
    return cluster.plane.tokens[STRANGER]


@asynccontextmanager
async def a_role_that_may_read(cluster: Cluster) -> AsyncIterator[None]:
    name = f"read-{cluster.namespace}"
    binding = {
        "apiVersion": f"{GROUP}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": READERS},
        "subjects": [{"apiGroup": GROUP, "kind": "User", "name": STRANGER}],
    }
    await cluster.api.create(BINDINGS, binding)
    try:
        yield
    finally:
        await cluster.api.delete(BINDINGS, name)


async def answer(adaptor: Adaptor, path: str, token: str | None = None) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"http://127.0.0.1:{adaptor.daemon.port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as found:
        return found.status, await found.text()


async def test_without_a_token_only_the_open_paths_answer(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor("-admin-auth=token").start()
    for path in ("/ping", "/live", "/ready", "/metrics"):
        assert (await answer(adaptor, path))[0] == 200
    for path in (ENTRIES, "/openapi.json", "/no/such/page"):
        assert (await answer(adaptor, path))[0] == 401


async def test_a_token_that_the_cluster_does_not_know_is_refused_and_not_shown(
    cluster: Cluster,
) -> None:
    adaptor = await cluster.adaptor("-admin-auth=token").start()
    status, body = await answer(adaptor, ENTRIES, "made-up-secret")
    assert status == 401
    assert "made-up-secret" not in body


async def test_a_user_without_the_role_is_forbidden(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor("-admin-auth=token").start()
    assert (await answer(adaptor, ENTRIES, token_of_a_stranger(cluster)))[0] == 403


async def test_a_user_with_the_role_reads_the_log(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor("-admin-auth=token").start()
    token = token_of_a_stranger(cluster)
    async with a_role_that_may_read(cluster):
        status, body = await answer(adaptor, ENTRIES, token)
    assert status == 200
    assert '"started"' in body


async def browse(adaptor: Adaptor, form: dict[str, str]) -> tuple[int, str, str]:
    """Sign in as a browser does; the status, the answer, and what the first page then shows."""
    home = f"http://127.0.0.1:{adaptor.daemon.port}"
    accept = {"Accept": "text/html"}
    jar = aiohttp.CookieJar(unsafe=True)  # or it keeps none for an IP address
    async with aiohttp.ClientSession(cookie_jar=jar, headers=accept) as session:
        sent = session.post(f"{home}/sign-in", data=form, allow_redirects=False)
        async with sent as answered, session.get(home) as page:
            return answered.status, await answered.text(), await page.text()


async def test_a_browser_signs_in_with_a_token_that_may_read(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor("-admin-auth=token").start()
    token = token_of_a_stranger(cluster)
    unknown, *texts = await browse(adaptor, {"token": "made-up-secret"})
    assert unknown == 401
    assert all("made-up-secret" not in text for text in texts)
    poor, said, page = await browse(adaptor, {"token": token})
    assert (poor, token in said) == (403, False)
    assert "Bearer token" in page
    async with a_role_that_may_read(cluster):
        adaptor = await cluster.adaptor("-admin-auth=token", log="another").start()
        status, said, page = await browse(adaptor, {"token": token})
    assert (status, token in said + page) == (303, False)
    assert "<h1>Splits</h1>" in page
