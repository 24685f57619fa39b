"""What people do to the splits of a namespace, step by step, and what has to come of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tests.cluster.api import SERVICEPROFILES, TRAFFICSPLITS, ApiError, Object
from tests.contract.cluster import Cluster

Weights = Sequence[tuple[str, str]]
Profiles = dict[str, Any]
"""Specs by the profiles' names."""

_ROUTES = [{"name": "GET /", "condition": {"method": "GET", "pathRegex": "/"}}]


@dataclass(frozen=True)
class Step:
    """An act, and what a profile then comes to: ``gone``, or its overrides (None: none)."""

    act: Callable[[Cluster], Awaitable[object]]
    service: str
    overrides: Weights | None = None
    gone: bool = False

    async def taken(self, cluster: Cluster) -> None:
        """Wait until it came to that."""
        wanted = None if self.overrides is None else cluster.overrides(self.overrides)

        def there(live: Object | None) -> bool:
            if live is None or self.gone:
                return live is None and self.gone
            return bool(live.get("spec", {}).get("dstOverrides") == wanted)

        await cluster.api.wait_for(
            SERVICEPROFILES, cluster.authority(self.service), cluster.namespace, there
        )


async def _remove_overrides(cluster: Cluster) -> None:
    with suppress(ApiError):  # nobody wrote it yet
        await cluster.patch_profile("web", {"spec": {"dstOverrides": None}})


async def _remove_profile(cluster: Cluster) -> None:
    with suppress(ApiError):
        await cluster.delete_profile("shop")


async def _clear_docs(cluster: Cluster) -> None:
    await cluster.delete_split("docs")


STEPS = (
    Step(
        lambda c: c.create_split("web", "web", [("a", 1), ("b", 1)]),
        "web",
        [("a", "1"), ("b", "1")],
    ),
    Step(lambda c: c.create_split("api", "api", [("a", 9)]), "api", [("a", "9")]),
    Step(lambda c: c.set_weights("web", [("a", 1), ("b", 3)]), "web", [("a", "1"), ("b", "3")]),
    Step(lambda c: c.create_split("younger", "web", [("c", 5)]), "web", [("a", "1"), ("b", "3")]),
    Step(lambda c: c.patch_split("api", {"service": "shop"}), "api", gone=True),
    Step(_remove_overrides, "web", [("a", "1"), ("b", "3")]),
    Step(lambda c: c.delete_split("web"), "web", [("c", "5")]),
    Step(_remove_profile, "shop", [("a", "9")]),
    Step(lambda c: c.delete_split("api"), "shop", gone=True),
    Step(lambda c: c.create_profile("docs", {"routes": _ROUTES}), "docs"),
    Step(lambda c: c.create_split("docs", "docs", [("a", 1)]), "docs", [("a", "1")]),
    Step(_clear_docs, "docs"),
)


def ending(cluster: Cluster) -> Profiles:
    """The profiles that the script ends with, whatever crashed meanwhile."""
    return {
        cluster.authority("web"): {"dstOverrides": cluster.overrides([("c", "5")])},
        cluster.authority("docs"): {"routes": _ROUTES},
    }


async def profiles(cluster: Cluster) -> Profiles:
    """The profiles that are there now."""
    found = await cluster.api.items(SERVICEPROFILES, cluster.namespace)
    return {item["metadata"]["name"]: item.get("spec", {}) for item in found}


async def splits(cluster: Cluster) -> int:
    """How many splits are there now."""
    return len(await cluster.api.items(TRAFFICSPLITS, cluster.namespace))
