"""The guide: its split becomes its profile, in its words."""

from __future__ import annotations

import logging

import pytest

from reactor.events import Synced
from tests.cluster.api import TRAFFICSPLITS
from tests.contract.cluster import Cluster


async def test_the_guides_split_becomes_the_guides_profile(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="reactor")
    adaptor = await cluster.adaptor().start()
    await cluster.create_services("backend-svc", "failing-svc")

    await cluster.api.create(
        TRAFFICSPLITS.at("v1alpha2"),
        cluster.split(
            "backend-split",
            "backend-svc",
            [("backend-svc", 500), ("failing-svc", 500)],
            version="v1alpha2",
        ),
        cluster.namespace,
    )

    profile = await cluster.wait_overrides(
        "backend-svc", [("backend-svc", "500"), ("failing-svc", "500")]
    )
    metadata = profile["metadata"]
    assert metadata["name"] == f"backend-svc.{cluster.namespace}.svc.cluster.local"
    assert "labels" not in metadata
    assert "annotations" not in metadata
    assert set(profile["spec"]) == {"dstOverrides"}
    (entry,) = metadata["managedFields"]
    assert (entry["manager"], entry["operation"]) == ("smi-adaptor", "Update")
    assert entry["fieldsV1"] == {"f:spec": {".": {}, "f:dstOverrides": {}}}

    await adaptor.event(Synced)
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("reactor")]
    name = cluster.authority("backend-svc")
    assert f"created serviceprofile/{name} for trafficsplit/backend-split" in lines
    assert f"Successfully synced '{cluster.namespace}/backend-split'" in lines
    opening = [
        "Using cluster domain: cluster.local",
        "Starting SMI Controller",
        "Waiting for informer caches to sync",
        "Starting workers",
        "Started workers",
    ]
    assert [line for line in lines if line in opening] == opening

    event = await cluster.wait_event("Created", "backend-split")
    assert event["type"] == "Normal"
    assert event["message"] == f"Created Service Profile {name}"
    assert event["source"]["component"] == "smi-controller"

    observed, translated, synced = [
        row
        for row in await adaptor.rows(namespace=cluster.namespace)
        # The profile's own coming back may overtake the answer to the write.
        if row["split"] == "backend-split"
    ][:3]
    assert (observed["kind"], observed["split"], observed["actor"]) == (
        "observed",
        "backend-split",
        "tests",
    )
    assert (translated["kind"], translated["service"]) == ("translated", "backend-svc")
    assert (synced["kind"], synced["outcome"]) == ("synced", "created")
    assert translated["reconcile"] == synced["reconcile"]
    assert synced["resource_version"] == metadata["resourceVersion"]


async def test_a_change_of_weights_reaches_the_profile_with_one_write(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1), ("b", 0)])
    await cluster.wait_overrides("web", [("a", "1"), ("b", "0")])

    await cluster.set_weights("s", [("a", 0), ("b", 1)])

    await cluster.wait_overrides("web", [("a", "0"), ("b", "1")])
    await adaptor.event(Synced, lambda event: event.outcome == "patched")
    outcomes = [row["outcome"] for row in await adaptor.rows(kind="synced")]
    assert outcomes == ["created", "patched"]


async def test_deleting_the_split_deletes_the_profile_that_only_we_made(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1), ("b", 1)])
    await cluster.wait_overrides("web", [("a", "1"), ("b", "1")])

    await cluster.delete_split("s")

    await cluster.wait_no_profile("web")
    await adaptor.event(Synced, lambda event: event.outcome == "deleted")
