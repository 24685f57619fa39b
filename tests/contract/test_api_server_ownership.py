"""Who owns a field: the sandbox keeps managedFields as a real kube-apiserver does."""

from __future__ import annotations

import pytest

from tests.cluster.api import SERVICEPROFILES, TRAFFICSPLITS
from tests.contract.cluster import Cluster
from tests.contract.wire import (
    Wire,
    owners,
)


@pytest.fixture
def wire(cluster: Cluster) -> Wire:
    return Wire(cluster)


async def test_whoever_changes_a_field_owns_it_from_then_on(wire: Wire) -> None:
    await wire.split("s")
    _, patched = await wire.patch(TRAFFICSPLITS, "s", {"spec": {"service": "x"}}, "two")
    assert owners(patched) == {
        "one": {"f:spec": {".": {}, "f:backends": {}}},
        "two": {"f:spec": {"f:service": {}}},
    }


async def test_a_removed_field_is_owned_by_nobody(wire: Wire) -> None:
    await wire.split("s")
    await wire.patch(TRAFFICSPLITS, "s", {"metadata": {"annotations": {"a": "1"}}}, "two")
    _, patched = await wire.patch(TRAFFICSPLITS, "s", {"metadata": {"annotations": None}}, "three")
    assert set(owners(patched)) == {"one"}


async def test_clearing_the_overrides_leaves_no_trace_of_them(wire: Wire) -> None:
    overrides = [{"authority": "a", "weight": "500"}]
    profile = {
        "apiVersion": "linkerd.io/v1alpha2",
        "kind": "ServiceProfile",
        "metadata": {"name": "web"},
        "spec": {"dstOverrides": overrides},
    }
    _, created = await wire.post(SERVICEPROFILES, profile, "smi-adaptor")
    assert owners(created) == {"smi-adaptor": {"f:spec": {".": {}, "f:dstOverrides": {}}}}
    clear = {"spec": {"dstOverrides": None}}
    _, cleared = await wire.patch(SERVICEPROFILES, "web", clear, "other")
    assert cleared["spec"] == {}
    assert owners(cleared) == {"smi-adaptor": {"f:spec": {}}}


async def test_the_manager_is_the_first_part_of_the_user_agent(wire: Wire) -> None:
    await wire.split("s")
    _, patched = await wire.cluster.api.request(
        "PATCH",
        wire.path(TRAFFICSPLITS, "s"),
        json_body={"spec": {"service": "x"}},
        headers={"Content-Type": "application/merge-patch+json", "User-Agent": "flagger/1.0 (x)"},
    )
    assert owners(patched)["flagger"] == {"f:spec": {"f:service": {}}}


async def test_an_entry_belongs_to_a_version(wire: Wire) -> None:
    await wire.split("s")
    _, patched = await wire.patch(TRAFFICSPLITS.at("v1alpha2"), "s", {"spec": {"service": "x"}})
    assert patched["apiVersion"] == "split.smi-spec.io/v1alpha2"
    assert sorted(entry["apiVersion"] for entry in patched["metadata"]["managedFields"]) == [
        "split.smi-spec.io/v1alpha1",
        "split.smi-spec.io/v1alpha2",
    ]


async def test_ownership_can_be_reset(wire: Wire) -> None:
    await wire.split("s")
    _, reset = await wire.patch(TRAFFICSPLITS, "s", {"metadata": {"managedFields": [{}]}})
    assert "managedFields" not in reset["metadata"]
