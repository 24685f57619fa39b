"""Routes of the Gateway API that a ServiceProfile takes precedence over.

Linkerd's proxies ask for a service's profile first: one that has routes, or overrides that are
not all 0, makes them ignore the routes that are attached to the service.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from reactor.check.kinds import Route
from reactor.check.result import Trouble, some
from reactor.model import quantity
from reactor.model.names import profile_name
from reactor.model.serviceprofile import ServiceProfile

GROUPS = ("gateway.networking.k8s.io", "policy.linkerd.io")


class _Spec(msgspec.Struct):
    routes: list[Any] | None = None


class _Profile(msgspec.Struct):
    spec: _Spec | None = None


def heeded(
    routes: Mapping[str, Iterable[Route]], profiles: Iterable[ServiceProfile], domain: str
) -> Trouble | None:
    """Whether no HTTPRoute of a Service is shadowed by its profile; ``routes`` by API group."""
    named: dict[str, list[ServiceProfile]] = {}
    for profile in profiles:
        named.setdefault(profile.meta.name, []).append(profile)
    shadowed = []
    for group, found in routes.items():
        for route in found:
            meta = route.metadata
            for parent in route.spec.parent_refs or ():
                if parent.kind != "Service" or parent.group not in ("", "core"):
                    continue
                namespace = parent.namespace or meta.namespace
                name = profile_name(parent.name, namespace, domain)
                for profile in named.get(name, ()):
                    if why := _rules(profile):
                        shadowed.append(
                            (
                                profile.meta.namespace,
                                f"httproute.{group} {meta.namespace}/{meta.name} is ignored:"
                                f" serviceprofile/{name} has {why}",
                            )
                        )
    if not shadowed:
        return None
    return Trouble(
        some(list(dict.fromkeys(what for _, what in shadowed))),
        f"`kubectl -n {shadowed[0][0]} get trafficsplits,serviceprofiles`",
        warning=True,
    )


def _rules(profile: ServiceProfile) -> str | None:
    if not profile.readable or any(_weighs(one.weight) for one in profile.overrides or ()):
        return "dstOverrides"
    held = msgspec.json.decode(profile.document.body, type=_Profile)
    return "routes" if held.spec is not None and held.spec.routes else None


def _weighs(weight: str) -> bool:
    return quantity.parse(weight).nanos != 0
