"""What the pages show in the tests: a roll-out, a shadowed split, and names full of markup."""

from __future__ import annotations

from typing import Final

from tests.cluster.api import TRAFFICSPLITS
from tests.contract.adaptor import Adaptor
from tests.contract.cluster import Cluster

NAMESPACE: Final = "shop"
MARKUP: Final = "<img src=x onerror=alert(1)>"
STEPS: Final = ((900, 100), (750, 250), (500, 500), (0, 1000))


async def tell(cluster: Cluster, adaptor: Adaptor) -> None:
    """A split that moves in steps, one that comes too late, one that can't be read."""
    await cluster.create_split("web-rollout", "web", [("web-v1", 1000), ("web-v2", 0)])
    await cluster.wait_overrides("web", [("web-v1", "1k"), ("web-v2", "0")])
    await cluster.settled(adaptor)
    for old, new in STEPS:
        weights = [("web-v1", old), ("web-v2", new)]
        await cluster.set_weights("web-rollout", weights, field_manager="alice")
        await cluster.settled(adaptor)
    await cluster.create_split("web-second", "web", [("web-v3", 1)])
    await cluster.create_split("cart", "cart", [("cart-a", "750m"), ("cart-b", "250m")])
    await cluster.wait_overrides("cart", [("cart-a", "750m"), ("cart-b", "250m")])
    marked = cluster.split("typo", MARKUP, [(MARKUP, MARKUP)])
    marked["metadata"]["annotations"] = {"note": f"</pre><script>alert(2)</script>{MARKUP}"}
    await cluster.api.create(TRAFFICSPLITS, marked, NAMESPACE, field_manager=MARKUP)
    await cluster.settled(adaptor)
    await adaptor.daemon.parts.journal.commit()
