"""Weights: whatever way they are written in a split, a profile bears them as Kubernetes would."""

from __future__ import annotations

import pytest

from reactor.events import Synced
from tests.contract.cluster import Cluster

VERSIONS = ["v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"]

SPELLINGS: dict[str, tuple[list[object], list[str]]] = {
    "numbers": ([500, 500], ["500", "500"]),
    "numbers-as-text": (["500", "500"], ["500", "500"]),
    "milli": (["500m", "1"], ["500m", "1"]),
    "fractions": ([0.5, 1.5, 2.0], ["500m", "1500m", "2"]),
    "fractions-as-text": (["0.5", ".25", "3.0"], ["500m", "250m", "3"]),
    "thousands": ([1000, "1k", "1000"], ["1k", "1k", "1k"]),
    "near-thousands": ([1001, 12000, 10], ["1001", "12k", "10"]),
    "exponents": (["1e3", "12e3", "2e2"], ["1e3", "12e3", "200"]),
    "exponents-of-numbers": ([1e3, 1e5, 1e-3], ["1k", "100k", "1m"]),
    "binary": (["1Ki", "3Ki"], ["1Ki", "3Ki"]),
    "thousand-milli": (["1000m", "1500m"], ["1", "1500m"]),
    "large-suffix": (["0.1M"], ["100k"]),
    "some-zero": ([0, "0", 1, "0m"], ["0", "0", "1", "0"]),
    "the-most-that-fits": ([429496, 0], ["429496", "0"]),
    "one-backend": ([100], ["100"]),
}


@pytest.mark.parametrize("version", VERSIONS)
async def test_weights_are_written_in_kubernetes_canonical_form(
    cluster: Cluster, version: str
) -> None:
    await cluster.adaptor().start()
    for name, (given, _) in SPELLINGS.items():
        weights = [(f"leaf-{place}", weight) for place, weight in enumerate(given)]
        await cluster.create_split(name, name, weights, version=version)

    written = {}
    for name, (_, expected) in SPELLINGS.items():
        profile = await cluster.wait_profile(name)
        found = profile["spec"]["dstOverrides"]
        leaves = [cluster.authority(f"leaf-{place}") for place in range(len(expected))]
        assert [override["authority"] for override in found] == leaves
        written[name] = [override["weight"] for override in found]

    assert written == {name: expected for name, (_, expected) in SPELLINGS.items()}


async def test_another_spelling_of_the_same_weights_is_no_change(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", "500m"), ("b", "1e3")])
    before = await cluster.wait_overrides("web", [("a", "500m"), ("b", "1e3")])

    await cluster.set_weights("s", [("a", 0.5), ("b", 1000)])

    await adaptor.event(Synced, lambda event: event.outcome == "unchanged")
    await cluster.settled(adaptor)
    assert await cluster.profile("web") == before


async def test_equal_overrides_in_another_spelling_are_left_as_someone_wrote_them(
    cluster: Cluster,
) -> None:
    theirs = cluster.overrides([("a", "1000m"), ("b", "0.5"), ("c", "7")])
    theirs[2]["weight"] = 7
    before = await cluster.create_profile("web", {"dstOverrides": theirs})
    adaptor = await cluster.adaptor().start()

    await cluster.create_split("s", "web", [("a", 1), ("b", "500m"), ("c", "7")])

    await adaptor.event(Synced, lambda event: event.outcome == "unchanged")
    await cluster.settled(adaptor)
    assert await cluster.profile("web") == before
