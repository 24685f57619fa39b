"""What Linkerd makes of a weight: the facts that our limits and rounding rest on.

The profiles are written by the admin, as any profile may be; the adaptor has no part here.
"""

from __future__ import annotations

import pytest

from tests.cluster.api import SERVICEPROFILES, Api
from tests.cluster.guide import APEX, LEAF, PORT, host
from tests.cluster.linkerd import LARGEST_SUM, Destination, DestinationController


async def weights_seen(
    api: Api, destination: DestinationController, namespace: str, *weights: object
) -> list[int]:
    """The weights of a proxy's overrides when a profile holds these."""
    name = host(APEX, namespace)
    overrides = [
        {"authority": host(service, namespace), "weight": weight}
        for service, weight in zip((APEX, LEAF), weights, strict=False)
    ]
    profile = {
        "apiVersion": "linkerd.io/v1alpha2",
        "kind": "ServiceProfile",
        "metadata": {"name": name},
        "spec": {"dstOverrides": overrides},
    }
    await api.create(SERVICEPROFILES, profile, namespace)
    async with destination.profile(f"{name}:{PORT}") as answers:
        found = await answers.wait_for(lambda seen: seen)
    return [override.weight for override in found]


async def test_the_guides_weights_become_5000000_each(
    admin: Api, destination: DestinationController, cluster_namespace: str
) -> None:
    seen = await weights_seen(admin, destination, cluster_namespace, "500", "500")
    assert seen == [5_000_000, 5_000_000]


@pytest.mark.parametrize(
    ("weight", "seen"),
    [
        (500, 5_000_000),
        ("1e3", 10_000_000),
        ("1k", 10_000_000),
        ("1", 10_000),
        ("500m", 5_000),
        ("1m", 10),
        ("0", 0),
    ],
)
async def test_a_weight_is_read_as_a_quantity_in_ten_thousandths(
    admin: Api,
    destination: DestinationController,
    cluster_namespace: str,
    weight: object,
    seen: int,
) -> None:
    assert await weights_seen(admin, destination, cluster_namespace, weight) == [seen]


async def test_a_weight_finer_than_1m_is_rounded_up_to_it(
    admin: Api, destination: DestinationController, cluster_namespace: str
) -> None:
    assert await weights_seen(admin, destination, cluster_namespace, "1u", "1500u") == [10, 20]


async def test_weights_of_429496_in_all_just_fit_into_what_a_proxy_adds_up(
    admin: Api, destination: DestinationController, cluster_namespace: str
) -> None:
    seen = await weights_seen(admin, destination, cluster_namespace, "429495", "1")
    assert seen == [4_294_950_000, 10_000]
    assert sum(seen) <= LARGEST_SUM < sum(seen) + 10_000


async def test_a_larger_weight_wraps_around_silently(
    admin: Api, destination: DestinationController, cluster_namespace: str
) -> None:
    seen = await weights_seen(admin, destination, cluster_namespace, "429497")
    assert seen == [429_497 * 10_000 - 2**32]


async def test_a_negative_weight_becomes_a_huge_one(
    admin: Api, destination: DestinationController, cluster_namespace: str
) -> None:
    assert await weights_seen(admin, destination, cluster_namespace, "-1") == [2**32 - 10_000]


async def test_a_changed_and_a_deleted_profile_reach_an_open_stream(
    admin: Api, destination: DestinationController, cluster_namespace: str
) -> None:
    await weights_seen(admin, destination, cluster_namespace, "500", "500")
    name = host(APEX, cluster_namespace)
    async with destination.profile(f"{name}:{PORT}") as answers:
        await answers.wait_for(lambda seen: len(seen) == 2)
        changed = {"spec": {"dstOverrides": [{"authority": name, "weight": "7"}]}}
        await admin.patch(SERVICEPROFILES, name, changed, cluster_namespace)
        await answers.wait_for(lambda seen: seen == [Destination(name, 70_000)])
        await admin.delete(SERVICEPROFILES, name, cluster_namespace)
        await answers.wait_for(lambda seen: not seen)
