"""The table of cases: what each becomes, and what its author is told."""

from __future__ import annotations

from fractions import Fraction

import pytest

from reactor.events import Synced
from reactor.model import quantity
from tests.cluster.api import SERVICES
from tests.contract.cluster import Cluster


async def test_the_same_backend_twice_is_summed(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()

    await cluster.create_split(
        "s", "web", [("a", 500), ("b", "1"), (f"a.{cluster.namespace}.svc", "0.5")]
    )

    await cluster.wait_overrides("web", [("a", "500500m"), ("b", "1")])
    finding = await adaptor.finding("DuplicateBackend", "s")
    assert "a named more than once" in finding.message


@pytest.mark.permissive
@pytest.mark.parametrize("weight", [-1, "-500m", "lots", "", "1.5.2", "1x", True, [], {"a": 1}])
async def test_a_bad_weight_leaves_the_last_good_overrides(
    cluster: Cluster, weight: object
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1), ("b", 2)])
    before = await cluster.wait_overrides("web", [("a", "1"), ("b", "2")])

    await cluster.set_weights("s", [("a", 5), ("b", weight)])

    finding = await adaptor.finding("InvalidWeight", "s")
    assert finding.message.startswith("spec.backends[1].weight: ")
    await cluster.settled(adaptor)
    assert await cluster.profile("web") == before
    await cluster.set_weights("s", [("a", 5), ("b", 6)])
    await cluster.wait_overrides("web", [("a", "5"), ("b", "6")])


@pytest.mark.permissive
async def test_the_last_good_overrides_are_kept_up_while_the_split_is_invalid(
    cluster: Cluster,
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.set_weights("s", [("a", -1)])
    await adaptor.finding("InvalidWeight", "s")

    await cluster.meddle("web", [("a", "7")])

    await cluster.wait_overrides("web", [("a", "1")])


@pytest.mark.parametrize(
    ("given", "share"),
    [
        ([1_000_000, 3_000_000], 1),
        ([429_497, 1], 1),
        ([429_496, "1m"], 1),
        ([7, 123_456_789], 1),
        (["1Gi", "2Gi", 0], 1),
        ([1e21, 3e21], 1),
        (["4E", "1", 0], 0),
    ],
)
async def test_weights_that_sum_too_high_are_scaled_down_in_proportion(
    cluster: Cluster, given: list[object], share: int
) -> None:
    adaptor = await cluster.adaptor().start()

    await cluster.create_split(
        "s", "web", [(f"leaf-{n}", weight) for n, weight in enumerate(given)]
    )

    profile = await cluster.wait_profile("web")
    texts = [override["weight"] for override in profile["spec"]["dstOverrides"]]
    await adaptor.finding("WeightsScaled", "s")
    asked = [quantity.from_json(_exact(weight)).nanos for weight in given]
    written = [quantity.parse(text).nanos for text in texts]
    assert sum(written) <= 429_496 * quantity.NANOS
    for want, have in zip(asked, written, strict=True):
        assert (want == 0) == (have == 0)
        milli = Fraction(quantity.NANOS, 1000)
        ideal = Fraction(want * sum(written), sum(asked))
        assert abs(have - ideal) <= max(milli, ideal / 1000)


def _exact(weight: object) -> object:
    return int(weight) if isinstance(weight, float) else weight


@pytest.mark.parametrize(
    ("given", "written", "reason"),
    [
        (["1u", "3u"], ["1m", "3m"], "WeightsScaled"),
        ([0.0005, "1m"], ["5m", "10m"], "WeightsScaled"),
        (["1n", "0"], ["1m", "0"], "WeightsScaled"),
        (["1n", "400k"], ["1m", "400k"], "WeightRounded"),
    ],
)
async def test_weights_finer_than_linkerd_reads_are_raised(
    cluster: Cluster, given: list[object], written: list[str], reason: str
) -> None:
    adaptor = await cluster.adaptor().start()

    await cluster.create_split(
        "s", "web", [(f"leaf-{n}", weight) for n, weight in enumerate(given)]
    )

    await cluster.wait_overrides("web", [(f"leaf-{n}", text) for n, text in enumerate(written)])
    await adaptor.finding(reason, "s")


async def test_weights_that_are_all_zero_are_written_with_a_warning(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()

    await cluster.create_split("s", "web", [("a", 0), ("b", "0")])

    await cluster.wait_overrides("web", [("a", "0"), ("b", "0")])
    finding = await adaptor.finding("AllWeightsZero", "s")
    assert "web itself" in finding.message


async def test_a_split_without_backends_is_as_if_it_were_absent(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])

    await cluster.set_weights("s", [])

    await adaptor.finding("NoBackends", "s")
    await cluster.wait_no_profile("web")
    await cluster.set_weights("s", [("a", 2)])
    await cluster.wait_overrides("web", [("a", "2")])


async def test_a_split_without_backends_makes_no_profile(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()

    await cluster.create_split("s", "web", [])

    await adaptor.finding("NoBackends", "s")
    await cluster.settled(adaptor)
    assert await cluster.profile("web") is None


@pytest.mark.parametrize("version", ["v1alpha3", "v1alpha4"])
async def test_matches_make_a_split_invalid_and_leave_its_last_good_overrides(
    cluster: Cluster, version: str
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)], version=version)
    before = await cluster.wait_overrides("web", [("a", "1")])
    matches = [{"apiGroup": "specs.smi-spec.io", "kind": "HTTPRouteGroup", "name": "users"}]

    await cluster.patch_split(
        "s", {"matches": matches, "backends": [{"service": "a", "weight": 2}]}
    )

    await adaptor.finding("UnsupportedMatches", "s")
    await cluster.settled(adaptor)
    assert await cluster.profile("web") == before
    await cluster.patch_split("s", {"matches": []})
    await cluster.wait_overrides("web", [("a", "2")])


async def test_missing_services_are_named_until_they_are_there(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_services("a")

    await cluster.create_split("s", "web", [("a", 1), ("b", 1)])

    await cluster.wait_overrides("web", [("a", "1"), ("b", "1")])
    finding = await adaptor.finding("ServiceNotFound", "s")
    assert "web, b" in finding.message
    adaptor.forget_events()
    await cluster.create_services("web", "b")
    await adaptor.event(Synced, lambda event: not event.decision.desired.findings)
    adaptor.forget_events()
    await cluster.api.delete(SERVICES, "b", cluster.namespace)
    assert "Service b in" in (await adaptor.finding("ServiceNotFound", "s")).message


async def test_headless_services_are_named(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_services("web", "a")
    await cluster.create_services("b", headless=True)

    await cluster.create_split("s", "web", [("a", 1), ("b", 1)])

    await cluster.wait_overrides("web", [("a", "1"), ("b", "1")])
    assert "Service b is headless" in (await adaptor.finding("HeadlessService", "s")).message
    adaptor.forget_events()
    await cluster.api.delete(SERVICES, "b", cluster.namespace)
    await cluster.create_services("b")
    await adaptor.event(Synced, lambda event: not event.decision.desired.findings)


@pytest.mark.permissive
async def test_an_invalid_split_that_was_never_good_leaves_the_profile_alone(
    cluster: Cluster,
) -> None:
    before = await cluster.create_profile("web", {"dstOverrides": cluster.overrides([("x", "9")])})
    adaptor = await cluster.adaptor().start()

    await cluster.create_split("s", "web", [("a", -1)])
    await cluster.create_split("t", "shop", [("a", -1)])

    await adaptor.finding("InvalidWeight", "t")
    await cluster.settled(adaptor)
    assert await cluster.profile("web") == before
    assert await cluster.profile("shop") is None
    rows = await adaptor.rows(namespace=cluster.namespace, service="web", kind="synced")
    assert [row["outcome"] for row in rows] == ["invalid"]


async def test_findings_are_in_the_log_and_in_the_api(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_services("web", "a")

    await cluster.create_split("s", "web", [("a", 0)])

    await adaptor.event(Synced)
    (row,) = await adaptor.rows(namespace=cluster.namespace, kind="translated")
    (finding,) = row["detail"]["desired"]["findings"]
    assert (finding["reason"], finding["split"]) == ("AllWeightsZero", "s")
    (entry,) = await adaptor.entries(namespace=cluster.namespace, kind="translated")
    assert entry["detail"]["desired"]["findings"] == [finding]
