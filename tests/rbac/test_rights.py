"""Each right of config/rbac is used, and missed: /ready says which one, and what to do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from itertools import count

import aiohttp
import pytest

from tests.cluster.api import LEASES
from tests.cluster.control_plane import STRANGER
from tests.contract.adaptor import Adaptor
from tests.contract.cluster import Cluster
from tests.contract.waiting import until_async
from tests.rbac.lossy import lossy
from tests.rbac.rights import Right, shipped, someone_without

Cause = Callable[[Cluster, Adaptor], Awaitable[None]]
OPTIONAL = {"events", "tokenreviews", "subjectaccessreviews"}


async def nothing(cluster: Cluster, adaptor: Adaptor) -> None:
    """It is asked for at the start."""


async def a_split(cluster: Cluster, adaptor: Adaptor) -> None:
    await cluster.create_split("s", "web", [("a", 1)])


async def a_split_of_a_profile(cluster: Cluster, adaptor: Adaptor) -> None:
    await cluster.create_profile("web", {"routes": []})
    await a_split(cluster, adaptor)


async def the_end_of_a_split(cluster: Cluster, adaptor: Adaptor) -> None:
    await a_split(cluster, adaptor)
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.delete_split("s")


async def the_same_event_twice(cluster: Cluster, adaptor: Adaptor) -> None:
    await a_split(cluster, adaptor)
    await cluster.wait_overrides("web", [("a", "1")])
    for weight in (2, 3):
        await cluster.set_weights("s", [("a", weight)])
        await cluster.wait_overrides("web", [("a", str(weight))])
        await cluster.wait_event("Updated", "s")


async def a_reader_of_the_log(cluster: Cluster, adaptor: Adaptor) -> None:
    if cluster.sandbox is not None:
        token = cluster.sandbox.add_user(STRANGER)
    else:
        assert cluster.plane is not None
        token = cluster.plane.tokens[STRANGER]
    url = f"http://127.0.0.1:{adaptor.daemon.port}/api/v1/entries"
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        assert answer.status == 503


CAUSES: dict[Right, Cause] = {
    **{
        Right(resource, verb): nothing
        for resource in ("trafficsplits", "serviceprofiles", "services")
        for verb in ("list", "watch")
    },
    Right("serviceprofiles", "get"): a_split,
    Right("serviceprofiles", "create"): a_split,
    Right("serviceprofiles", "patch"): a_split_of_a_profile,
    Right("serviceprofiles", "delete"): the_end_of_a_split,
    Right("events", "create"): a_split,
    Right("events", "patch"): the_same_event_twice,
    Right("tokenreviews", "create"): a_reader_of_the_log,
    Right("subjectaccessreviews", "create"): a_reader_of_the_log,
    Right("leases", "get"): nothing,
    Right("leases", "create"): nothing,
    Right("leases", "update"): nothing,
}


async def ready(adaptor: Adaptor) -> tuple[int, list[str]]:
    """What /ready answers."""
    url = f"http://127.0.0.1:{adaptor.daemon.port}/ready"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, (await answer.text()).splitlines()


async def started(
    stack: AsyncExitStack, cluster: Cluster, missing: Right
) -> tuple[Adaptor, Callable[[], Awaitable[None]]]:
    """An adaptor whose user lacks a right, and what mends that."""
    user = await stack.enter_async_context(someone_without(cluster, missing))
    kubeconfig, flags = user.kubeconfig, ["-admin-auth=token"]
    if missing == Right("serviceprofiles", "get"):
        kubeconfig = await stack.enter_async_context(lossy(kubeconfig))
    if missing.resource == "leases":
        flags.append("-leader-elect")
    if missing == Right("leases", "update"):
        released = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
        metadata = {"metadata": {"name": "smi-adaptor"}}
        await cluster.api.create(LEASES, {**released, **metadata}, cluster.namespace)
    adaptor = Adaptor(
        kubeconfig=kubeconfig,
        directory=cluster.directory,
        flags=tuple(flags),
        namespace=cluster.namespace,
    )
    stack.push_async_callback(adaptor.stop)
    return await adaptor.start(wait=False), user.mend


def test_every_right_that_we_ship_has_a_use() -> None:
    assert shipped() == sorted(CAUSES)


@pytest.mark.parametrize("missing", shipped(), ids=str)
async def test_a_right_that_is_missing_is_named(cluster: Cluster, missing: Right) -> None:
    complaint = f"no permission to {missing.verb} {missing.resource}"
    role = "Role" if missing.resource == "leases" else "ClusterRole"
    async with AsyncExitStack() as stack:
        adaptor, _ = await started(stack, cluster, missing)
        await CAUSES[missing](cluster, adaptor)

        async def told() -> bool:
            status, lines = await ready(adaptor)
            found = [line for line in lines if complaint in line]
            if missing.resource in OPTIONAL:
                # Splits are synced all the same.
                return status == 200 and lines[0] == "ok" and found == lines[1:] != []
            return status == 503 and len(found) == 1

        await until_async(told)

        _, lines = await ready(adaptor)
        (line,) = [line for line in lines if complaint in line]
        assert f'cannot {missing.verb} resource "{missing.resource}"' in line
        assert f"apply the {role} of config/rbac" in line
        assert all("no permission" not in other for other in lines if other != line)


@pytest.mark.parametrize(
    "missing",
    [
        Right("services", "list"),
        Right("trafficsplits", "watch"),
        Right("serviceprofiles", "create"),
        Right("events", "create"),
        Right("leases", "create"),
    ],
    ids=str,
)
async def test_a_role_that_is_mended_is_forgotten(cluster: Cluster, missing: Right) -> None:
    async with AsyncExitStack() as stack:
        adaptor, mend = await started(stack, cluster, missing)
        await CAUSES[missing](cluster, adaptor)

        async def told() -> bool:
            return any("no permission" in line for line in (await ready(adaptor))[1])

        weight = count(2)

        async def forgotten() -> bool:
            if CAUSES[missing] is a_split:
                # Refused writes are tried again within minutes, and at once for a new wish; the
                # API server itself takes a moment to know of the role.
                await cluster.set_weights("s", [("a", next(weight))])
            return await ready(adaptor) == (200, ["ok"])

        await until_async(told)
        await mend()
        await until_async(forgotten)
