"""Builders of situations: splits and profiles decoded from real objects, defaults for the rest."""

from __future__ import annotations

from typing import Any

from reactor.model import serviceprofile, trafficsplit
from reactor.model.service import ServiceState
from reactor.model.serviceprofile import Override, ServiceProfile
from reactor.model.trafficsplit import TrafficSplit
from reactor.translate.decision import Create, Delete, Patch, Plan
from reactor.translate.situation import Asked, Evidence, Repairs, Rules, Situation

NAMESPACE = "shop"
SUFFIX = "shop.svc.cluster.local"
NAME = f"web.{SUFFIX}"
OURS = ("smi-adaptor", "Update")


def split(
    name: str = "canary",
    *weights: tuple[str, Any],
    service: object = "web",
    created: str = "2026-01-01T00:00:00Z",
    uid: str | None = None,
    **spec: Any,
) -> TrafficSplit:
    """A split with these backends (all of 1 when none are given)."""
    backends = [{"service": leaf, "weight": weight} for leaf, weight in weights]
    return trafficsplit.decode(
        {
            "apiVersion": "split.smi-spec.io/v1alpha2",
            "metadata": {
                "namespace": NAMESPACE,
                "name": name,
                "uid": uid or f"uid-{name}",
                "resourceVersion": "1",
                "creationTimestamp": created,
            },
            "spec": {"service": service, "backends": backends, **spec},
        },
        domain="cluster.local",
    )


def wanted(*weights: tuple[str, str]) -> tuple[Override, ...]:
    """Overrides as we write them."""
    return tuple(Override(f"{leaf}.{SUFFIX}", weight) for leaf, weight in weights)


def profile(
    overrides: Any = None,
    *,
    managers: tuple[tuple[str, str], ...] = (OURS,),
    spec: dict[str, Any] | None = None,
    **metadata: Any,
) -> ServiceProfile:
    """A live profile of ``web``; each of the managers holds dstOverrides."""
    if isinstance(overrides, tuple):
        overrides = [{"authority": one.authority, "weight": one.weight} for one in overrides]
    held = {"dstOverrides": overrides} if overrides is not None else {}
    return serviceprofile.decode(
        {
            "apiVersion": "linkerd.io/v1alpha2",
            "kind": "ServiceProfile",
            "metadata": {
                "namespace": NAMESPACE,
                "name": NAME,
                "uid": "uid-profile",
                "resourceVersion": "9",
                "managedFields": [
                    {
                        "manager": manager,
                        "operation": operation,
                        "time": "2026-01-01T00:00:00Z",
                        "fieldsV1": {"f:spec": {"f:dstOverrides": {}}},
                    }
                    for manager, operation in managers
                ],
                **metadata,
            },
            "spec": {**(spec or {}), **held},
        }
    )


def situation(
    *splits: TrafficSplit,
    profile: ServiceProfile | None = None,
    services: dict[str, ServiceState] | None = None,
    good: dict[str, tuple[Override, ...]] | None = None,
    asked: Asked | None = None,
    evidence: Evidence = "none",
    unreadable: bool = False,
    repairs: Repairs | None = None,
    rules: Rules | None = None,
) -> Situation:
    """The situation of Service ``web``."""
    return Situation(
        namespace=NAMESPACE,
        service="web",
        splits=splits,
        services=services or {},
        profile=profile,
        good=good or {},
        asked=asked,
        evidence=evidence,
        unreadable=unreadable,
        repairs=repairs or Repairs(),
        rules=rules or Rules(),
    )


def carried_out(before: ServiceProfile | None, plan: Plan) -> ServiceProfile | None:
    """What the cluster holds after a plan."""
    if isinstance(plan, Create | Patch):
        return profile(plan.overrides)
    return None if isinstance(plan, Delete) else before
