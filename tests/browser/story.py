"""What the pages show in the tests: a roll-out, a shadowed split, and names full of markup."""

from __future__ import annotations

from typing import Final

from reactor.events import Observed, Synced
from tests.cluster.api import TRAFFICSPLITS
from tests.cluster.prepare import ensure_namespace
from tests.contract.adaptor import Adaptor
from tests.contract.cluster import Cluster, Weights

NAMESPACE: Final = "shop"
MARKUP: Final = "<img src=x onerror=alert(1)>"
ODD: Final = "odd"
LONG: Final = "a" + "long" * 40
MANY: Final = "checkout-regions"
STEPS: Final = (
    ("alice", 900, 100),
    ("bob", 750, 250),
    ("carol", 500, 500),
    ("dave", 0, 1000),
)


async def tell(cluster: Cluster, adaptor: Adaptor) -> None:
    """A split that moves in steps, one that comes too late, a long one, one that can't be read."""
    await cluster.create_services("web", "web-v1", "web-v2", "web-v3", "cart", "cart-a", "cart-b")
    await cluster.create_split("web-rollout", "web", [("web-v1", 1000), ("web-v2", 0)])
    await cluster.wait_overrides("web", [("web-v1", "1k"), ("web-v2", "0")])
    for author, old, new in STEPS:
        weights = [("web-v1", old), ("web-v2", new)]
        await step(cluster, adaptor, "web-rollout", weights, author=author)
    await cluster.create_split("web-second", "web", [("web-v3", 1)])
    await cluster.create_split("cart", "cart", [("cart-a", "750m"), ("cart-b", "250m")])
    await cluster.wait_overrides("cart", [("cart-a", "750m"), ("cart-b", "250m")])
    long = cluster.split(LONG, LONG[:63], [(LONG[:63], "1"), (LONG[1:64], "2")])
    long["metadata"]["namespace"] = ODD
    await ensure_namespace(cluster.api, ODD)
    await cluster.api.create(TRAFFICSPLITS, long, ODD)
    marked = cluster.split("typo", MARKUP, [(MARKUP, MARKUP)])
    marked["metadata"]["annotations"] = {"note": f"</pre><script>alert(2)</script>{MARKUP}"}
    await cluster.api.create(TRAFFICSPLITS, marked, NAMESPACE, field_manager=MARKUP)
    await adaptor.event(Observed, lambda event: event.object.meta.name == "typo")
    await _many(cluster, adaptor)
    await _failing(cluster, adaptor)
    await adaptor.idle()
    await adaptor.daemon.parts.journal.commit()


async def _many(cluster: Cluster, adaptor: Adaptor) -> None:
    """Twelve backends, some without any weight, and in the end all of them."""
    regions = [f"checkout-region-{number:02}" for number in range(12)]
    await cluster.create_services("checkout", *regions)
    await cluster.create_split(
        MANY, "checkout", [(name, number % 4 * 50) for number, name in enumerate(regions)]
    )
    await cluster.wait_profile("checkout")
    await step(cluster, adaptor, MANY, [(name, 0) for name in regions], author="erin")


async def _failing(cluster: Cluster, adaptor: Adaptor) -> None:
    """A split whose profile the API server does not take."""
    assert cluster.sandbox is not None
    rule = cluster.sandbox.faults.respond(422, verb="create", resource="serviceprofiles")
    await cluster.create_split("refused", "refused", [("refused-a", 1), ("refused-b", "500m")])
    await adaptor.event(Synced, lambda event: event.outcome == "failed")
    rule.lift()


async def step(
    cluster: Cluster, adaptor: Adaptor, split: str, weights: Weights, *, author: str
) -> None:
    """Change a split's weights, and wait until they are in effect."""
    adaptor.forget_events()
    await cluster.set_weights(split, weights, field_manager=author)
    await adaptor.event(Synced)
    await adaptor.idle()
