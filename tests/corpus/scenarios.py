"""What is played to an adaptor on the sandbox, each scenario in a namespace of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from reactor.events import Contended
from tests.cluster.api import SERVICEPROFILES, TRAFFICSPLITS, Object
from tests.contract.adaptor import Adaptor
from tests.contract.cluster import Cluster, Weights
from tests.contract.test_bad_specs import BAD_SPECS
from tests.contract.waiting import until

Scenario = Callable[[Cluster, Adaptor], Awaitable[None]]

WEIGHTS: tuple[Weights, ...] = (
    [("a", 500), ("b", 500)],
    [("a", "500m"), ("b", "1500m")],
    [("a", 0.25), ("b", "1e3")],
    [("a", "1Ki"), ("b", "2k")],
    [("a", 0), ("b", 0)],
    [("a", 1), ("b", 2), ("a", "0.5")],
    [("a", "1n"), ("b", "3u")],
    [("a", "1n"), ("b", "400k")],
    [("a", 1_000_000), ("b", 3_000_000)],
    [("a", "4E"), ("b", 1), ("c", 0)],
    [("a", "007"), ("b", "+1")],
    [("a", "1E3"), ("b", "1.10")],
    [],
    [("a.{namespace}", 1), ("b.{namespace}.svc.cluster.local", 9)],
)


async def handled(cluster: Cluster, adaptor: Adaptor) -> None:
    """Wait until the adaptor has seen all there is now, and is done with it.

    `Cluster.settled` knows more, but leaves marks that would fill the log.
    """
    parts = adaptor.daemon.parts
    watched = ((TRAFFICSPLITS, parts.splits), (SERVICEPROFILES, parts.profiles))
    for resource, store in watched:
        for live in await cluster.api.items(resource, cluster.namespace):
            meta = live["metadata"]
            identity = (meta["namespace"], meta["name"], meta["uid"], meta["resourceVersion"])
            await until(partial(store.holds, *identity))
    await adaptor.idle()


async def guide(cluster: Cluster, adaptor: Adaptor) -> None:
    """The guide's story: half the traffic, then all of it, then none of the split."""
    await cluster.create_services("backend-svc", "failing-svc")
    pair = ("backend-svc", "failing-svc")
    await cluster.create_split("backend-split", "backend-svc", [(name, "500m") for name in pair])
    for first, second in ((500, 500), (900, 100), (1000, 0)):
        await cluster.set_weights("backend-split", [(pair[0], first), (pair[1], second)])
        await handled(cluster, adaptor)
    await cluster.delete_split("backend-split")
    await cluster.wait_no_profile("backend-svc")


async def weights(cluster: Cluster, adaptor: Adaptor) -> None:
    """Every way to write a weight, too fine and too heavy ones among them."""
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    for given in WEIGHTS:
        named = [(leaf.format(namespace=cluster.namespace), weight) for leaf, weight in given]
        await cluster.set_weights("s", named)
        await handled(cluster, adaptor)


async def invalid(cluster: Cluster, adaptor: Adaptor) -> None:
    """Specs that no definition of ours lets in, before and after a good one."""
    await cluster.create_split("never-good", "shop", [("a", "lots")])
    await cluster.create_split("s", "web", [("a", 1), ("b", 2)])
    await cluster.wait_overrides("web", [("a", "1"), ("b", "2")])
    for weight in (-1, "lots", "", True, {"a": 1}):
        await cluster.set_weights("s", [("a", 5), ("b", weight)])
        await handled(cluster, adaptor)
    changes: list[object] = [change for change, _ in BAD_SPECS.values()]
    elsewhere = [{"service": "web.elsewhere.svc.cluster.local", "weight": 1}]
    here = [{"service": "a", "weight": 1}]
    matches = {"matches": [{"kind": "HTTPRouteGroup"}], "backends": here}
    for change in ({"backends": elsewhere}, matches, {"matches": None}, *changes):
        await cluster.api.patch(TRAFFICSPLITS, "s", {"spec": change}, cluster.namespace)
        await handled(cluster, adaptor)
    await cluster.api.replace(
        TRAFFICSPLITS, await _with_spec(cluster, "s", "web", [("a", 7)]), cluster.namespace
    )
    await cluster.wait_overrides("web", [("a", "7")])


async def _with_spec(cluster: Cluster, name: str, service: str, weights: Weights) -> Object:
    live = await cluster.api.get(TRAFFICSPLITS, name, cluster.namespace)
    return {**live, "spec": cluster.split(name, service, weights)["spec"]}


async def sharing(cluster: Cluster, adaptor: Adaptor) -> None:
    """Three splits of one service: shadowed, taking over, renamed away, without backends."""
    for name, leaf in (("zeta", "a"), ("alpha", "b"), ("mu", "c")):
        await cluster.create_split(name, "web", [(leaf, 1)])
        await cluster.next_second()
    await adaptor.finding("ShadowedBy", "mu")
    await cluster.patch_split("zeta", {"backends": []})
    await cluster.wait_overrides("web", [("b", "1")])
    await cluster.set_weights("zeta", [("a", -1)])
    await handled(cluster, adaptor)
    await cluster.patch_split("zeta", {"service": "shop", "backends": []})
    await cluster.wait_overrides("web", [("b", "1")])
    await cluster.delete_split("alpha")
    await cluster.wait_overrides("web", [("c", "1")])


async def services(cluster: Cluster, adaptor: Adaptor) -> None:
    """Services that are missing, come, or are headless."""
    await cluster.create_split("s", "web", [("a", 1), ("b", 1)])
    await cluster.wait_profile("web")
    await cluster.create_services("web", "a")
    await cluster.create_services("b", headless=True)
    await handled(cluster, adaptor)
    await cluster.set_weights("s", [("a", 3), ("b", 1)])
    await cluster.wait_overrides("web", [("a", "3"), ("b", "1")])


async def repairs(cluster: Cluster, adaptor: Adaptor) -> None:
    """Someone undoes our overrides, again and again, and deletes the profile."""
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    for number in range(3):
        await handled(cluster, adaptor)
        await cluster.meddle("web", [("a", str(90 + number))], field_manager="gitops")
        await cluster.wait_overrides("web", [("a", "1")])
    await adaptor.event(Contended)
    await handled(cluster, adaptor)
    await cluster.delete_profile("web")
    await cluster.wait_overrides("web", [("a", "1")])


async def orphans(cluster: Cluster, adaptor: Adaptor) -> None:
    """Splits go: profiles that are ours alone, that hold others' routes, that nobody split."""
    route = {"name": "GET /", "condition": {"method": "GET", "pathRegex": "/"}}
    await cluster.create_profile("routed", {"routes": [route]}, field_manager="linkerd-cli")
    left = {"dstOverrides": cluster.overrides([("a", "1")])}
    await cluster.create_profile("foreign", left, field_manager="gitops")
    for service in ("plain", "routed"):
        await cluster.create_split(f"s-{service}", service, [("a", 1)])
        await cluster.wait_overrides(service, [("a", "1")])
    for service in ("plain", "routed"):
        await cluster.delete_split(f"s-{service}")
    await cluster.wait_no_profile("plain")
    await handled(cluster, adaptor)


async def skipped(cluster: Cluster, adaptor: Adaptor) -> None:
    """A profile that is annotated to be left alone, and isn't any more."""
    note = {"metadata": {"annotations": {"smi.linkerd.io/skip": "true"}}}
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await handled(cluster, adaptor)
    await cluster.patch_profile("web", note)
    await handled(cluster, adaptor)
    await cluster.set_weights("s", [("a", 2)])
    await handled(cluster, adaptor)
    note["metadata"]["annotations"] = {"smi.linkerd.io/skip": None}  # type: ignore[dict-item]  # a merge patch removes by null
    await cluster.patch_profile("web", note)
    await cluster.wait_overrides("web", [("a", "2")])


async def texts(cluster: Cluster, adaptor: Adaptor) -> None:
    """Names and notes from every script, markup, and what is no good Unicode."""
    marked = cluster.split("s", "web", [("a", 1)])
    marked["metadata"]["annotations"] = {
        "note": "\u0394\u03cc\u03be\u03b1 \U0001f680 \u202e\u05e9\u05dc\u05d5\u05dd",
        "markup": "<script>alert('web')</script> & \"more\"\n\t",
    }
    await cluster.api.create(TRAFFICSPLITS, marked, cluster.namespace)
    await cluster.wait_overrides("web", [("a", "1")])
    for service in ("\u03b4\u03cc\u03be\u03b1", "\U0001f680" * 50, "<b>web</b>", "a" * 300):
        await cluster.patch_split("s", {"backends": [{"service": service, "weight": 1}]})
        await handled(cluster, adaptor)
    await cluster.patch_split("s", {"backends": [{"service": "a", "weight": "\u0663"}]})
    await handled(cluster, adaptor)
    await cluster.set_weights("s", [("b", 1)])
    await cluster.wait_overrides("web", [("b", "1")])


async def change_while_away(cluster: Cluster, adaptor: Adaptor) -> None:
    """What an adaptor finds when it comes back: changed, new and deleted splits."""
    for name in ("kept", "changed", "deleted"):
        await cluster.create_split(name, name, [("a", 1)])
        await cluster.wait_overrides(name, [("a", "1")])
    await handled(cluster, adaptor)
    await adaptor.stop()
    await cluster.set_weights("changed", [("a", 2), ("b", 1)])
    await cluster.delete_split("deleted")
    await cluster.create_split("new", "new", [("a", 1)])
    left = {"dstOverrides": cluster.overrides([("a", "1")])}
    await cluster.create_profile("left-over", left, field_manager="smi-adaptor")
    await adaptor.start()
    await cluster.wait_overrides("changed", [("a", "2"), ("b", "1")])
    await cluster.wait_overrides("new", [("a", "1")])
    await cluster.wait_no_profile("deleted")
    await adaptor.patience.pass_by()
    await cluster.wait_no_profile("left-over")
    assert await cluster.api.items(SERVICEPROFILES, cluster.namespace)


LOGS: dict[str, tuple[Scenario, ...]] = {
    "guide": (guide,),
    "weights": (weights, services),
    "invalid": (invalid, texts),
    "lifecycle": (sharing, repairs, orphans, skipped, change_while_away),
    "short": (sharing, repairs, orphans, skipped, change_while_away),
}
"""The scenarios of each recorded log, by the name of its file."""
