"""Reading splits: which versions, which names, in which order."""

from __future__ import annotations

import pytest

from reactor.events import Synced
from tests.contract.cluster import Cluster
from tests.contract.definitions import VERSIONS, serving
from tests.contract.waiting import until


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_split_of_any_version_becomes_a_profile(cluster: Cluster, version: str) -> None:
    await cluster.adaptor().start()

    await cluster.create_split("s", "web", [("a", "1"), ("b", "3")], version=version)

    await cluster.wait_overrides("web", [("a", "1"), ("b", "3")])


async def test_the_newest_version_that_is_served_is_the_one_that_is_watched(
    cluster: Cluster,
) -> None:
    adaptor = await cluster.adaptor().start()

    await cluster.create_split("s", "web", [("a", 1)], version="v1alpha1")

    await cluster.wait_overrides("web", [("a", "1")])
    (row,) = await adaptor.rows(namespace=cluster.namespace, split="s", kind="observed")
    assert row["detail"]["api_version"] == "split.smi-spec.io/v1alpha4"


async def test_a_cluster_that_serves_only_old_versions_is_served_too(cluster: Cluster) -> None:
    async with serving(cluster, "v1alpha1", "v1alpha2"):
        adaptor = await cluster.adaptor().start()

        await cluster.create_split("s", "web", [("a", "1")], version="v1alpha1")

        await cluster.wait_overrides("web", [("a", "1")])
        (row,) = await adaptor.rows(namespace=cluster.namespace, split="s", kind="observed")
        assert row["detail"]["api_version"] == "split.smi-spec.io/v1alpha2"


async def test_the_watch_moves_when_the_served_versions_change(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])

    async with serving(cluster, "v1alpha1", "v1alpha2"):
        # The server ends the old watch when it gets to it.
        restarts = adaptor.daemon.parts.split_reflector.health.restarts
        await until(lambda: restarts["moved"])
        await cluster.set_weights("s", [("a", 2)])
        await cluster.wait_overrides("web", [("a", "2")])

    await cluster.set_weights("s", [("a", 3)])
    await cluster.wait_overrides("web", [("a", "3")])
    rows = await adaptor.rows(namespace=cluster.namespace, split="s", kind="observed")
    seen = [row["detail"]["api_version"].partition("/")[2] for row in rows]
    assert seen[:2] == ["v1alpha4", "v1alpha2"]


@pytest.mark.parametrize("form", ["{0}", "{0}.{1}", "{0}.{1}.svc", "{0}.{1}.svc.cluster.local"])
async def test_services_may_be_named_in_full(cluster: Cluster, form: str) -> None:
    await cluster.adaptor().start()
    web, a, b = (form.format(name, cluster.namespace) for name in ("web", "a", "b"))

    await cluster.create_split("s", web, [(a, 1), (b, 2)])

    await cluster.wait_overrides("web", [("a", "1"), ("b", "2")])


@pytest.mark.parametrize("form", ["web.other", "web.other.svc", "web.other.svc.cluster.local"])
async def test_a_backend_in_another_namespace_makes_the_split_invalid(
    cluster: Cluster, form: str
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    before = await cluster.wait_overrides("web", [("a", "1")])

    await cluster.set_weights("s", [("a", 2), (form, 1)])

    finding = await adaptor.finding("CrossNamespace", "s")
    assert "namespace other" in finding.message
    await cluster.settled(adaptor)
    assert await cluster.profile("web") == before
    await cluster.set_weights("s", [("a", 3)])
    await cluster.wait_overrides("web", [("a", "3")])


async def test_an_apex_in_another_namespace_makes_the_split_invalid(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("stray", "web.other", [("a", 1)])
    await cluster.create_split("s", "web", [("a", 1)])
    before = await cluster.wait_overrides("web", [("a", "1")])

    await cluster.patch_split("s", {"service": "web.other.svc.cluster.local"})

    finding = await adaptor.finding("CrossNamespace", "s")
    assert "namespace other" in finding.message
    await cluster.settled(adaptor)
    assert await cluster.profile("web") == before
    observed = await adaptor.rows(namespace=cluster.namespace, split="stray", kind="observed")
    assert [row["detail"]["problem"]["reason"] for row in observed] == ["CrossNamespace"]


async def test_the_order_of_backends_is_kept(cluster: Cluster) -> None:
    await cluster.adaptor().start()

    await cluster.create_split("s", "web", [("z", 1), ("a", 2), ("m", 3)])

    await cluster.wait_overrides("web", [("z", "1"), ("a", "2"), ("m", "3")])
    await cluster.set_weights("s", [("m", 3), ("z", 1), ("a", 2)])
    await cluster.wait_overrides("web", [("m", "3"), ("z", "1"), ("a", "2")])


async def test_renaming_the_service_moves_the_overrides(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])

    await cluster.patch_split("s", {"service": "shop"})

    await cluster.wait_overrides("shop", [("a", "1")])
    await cluster.wait_no_profile("web")
    await adaptor.event(Synced, lambda event: event.outcome == "deleted")
