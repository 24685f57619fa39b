"""A split as a proxy sees it: applied to the API server, read from Linkerd's controller."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from fractions import Fraction

import pytest
import pytest_asyncio

from tests.cluster import guide
from tests.cluster.adaptor import AdaptorProcess
from tests.cluster.api import SERVICEPROFILES, TRAFFICSPLITS, Api, Object
from tests.cluster.control_plane import ControlPlane
from tests.cluster.guide import APEX, LEAF, PORT, host
from tests.cluster.linkerd import LARGEST_SUM, Destination, DestinationController, ProfileStream


@pytest.fixture(scope="module")
def adaptor(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """The program as its users run it, with our role and nothing else."""
    directory = tmp_path_factory.mktemp("adaptor")
    with AdaptorProcess(directory, kubeconfig=control_plane.adaptor_kubeconfig):
        yield


@pytest_asyncio.fixture
async def answers(
    adaptor: None, admin: Api, destination: DestinationController, cluster_namespace: str
) -> AsyncIterator[ProfileStream]:
    """A proxy's open question for the guide's service, whose split does not exist yet."""
    await admin.ensure(*guide.services(cluster_namespace))
    async with destination.profile(f"{host(APEX, cluster_namespace)}:{PORT}") as stream:
        await stream.wait_for(lambda seen: not seen)
        yield stream


async def apply(api: Api, namespace: str, weights: Mapping[str, object] | None = None) -> Object:
    """Applies the guide's split, with other weights if any are given."""
    await api.ensure(guide.split(namespace, weights))
    return await api.get(TRAFFICSPLITS, "backend-split", namespace)


async def test_both_overrides_of_the_guides_split_weigh_5000000(
    admin: Api, answers: ProfileStream, cluster_namespace: str
) -> None:
    await apply(admin, cluster_namespace)
    seen = await answers.wait_for(lambda seen: seen)
    assert seen == [
        Destination(host(APEX, cluster_namespace), 5_000_000),
        Destination(host(LEAF, cluster_namespace), 5_000_000),
    ]


async def test_a_change_of_weights_reaches_an_open_stream(
    admin: Api, answers: ProfileStream, cluster_namespace: str
) -> None:
    await apply(admin, cluster_namespace)
    await answers.wait_for(lambda seen: seen)
    await apply(admin, cluster_namespace, {APEX: 900, LEAF: 100})
    await answers.wait_for(lambda seen: [one.weight for one in seen] == [9_000_000, 1_000_000])


async def test_the_overrides_go_with_the_split(
    admin: Api, answers: ProfileStream, cluster_namespace: str
) -> None:
    await apply(admin, cluster_namespace)
    await answers.wait_for(lambda seen: len(seen) == 2)
    await admin.delete(TRAFFICSPLITS, "backend-split", cluster_namespace)
    assert await answers.wait_for(lambda seen: not seen) == []
    name = host(APEX, cluster_namespace)
    await admin.wait_for(SERVICEPROFILES, name, cluster_namespace, lambda found: found is None)


@pytest.mark.parametrize(
    ("first", "second", "seen"),
    [
        ("1e3", "1k", [10_000_000, 10_000_000]),
        ("1e3", 500, [10_000_000, 5_000_000]),
        (0.5, "500m", [5_000, 5_000]),
        (1, 0, [10_000, 0]),
        ("429495", "1", [4_294_950_000, 10_000]),
    ],
)
async def test_weights_that_fit_arrive_as_they_were_asked_for(
    admin: Api,
    answers: ProfileStream,
    cluster_namespace: str,
    first: object,
    second: object,
    seen: list[int],
) -> None:
    await apply(admin, cluster_namespace, {APEX: first, LEAF: second})
    found = await answers.wait_for(lambda found: found)
    assert [override.weight for override in found] == seen


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (429_496, 429_496),
        ("429496", "1"),
        (500_000, 250_000),
        ("1e6", "1k"),
        (3_000_000_000, 1_000_000_000),
        ("1e12", "1"),
    ],
)
async def test_weights_that_do_not_fit_are_scaled_in_the_ratio_of_the_split(
    admin: Api, answers: ProfileStream, cluster_namespace: str, first: object, second: object
) -> None:
    await apply(admin, cluster_namespace, {APEX: first, LEAF: second})
    found = await answers.wait_for(lambda found: found)
    large, small = (override.weight for override in found)
    assert large + small <= LARGEST_SUM
    # What Linkerd can tell apart is 1m, ten of a proxy's units: nothing is off by more than one,
    # and nothing that asked for traffic gets none.
    asked = in_units(first) / (in_units(first) + in_units(second))
    assert abs(asked * (large + small) - large) <= 10
    assert small >= 10


def in_units(weight: object) -> Fraction:
    return Fraction(str(weight).replace("k", "e3"))
