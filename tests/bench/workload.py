"""What is written: split number i and its profile, in any generation of weights.

Ten namespaces; in each the leaf Services `blue` and `green`, which every split there names, and
an apex Service for each split. All three are there beforehand, so no finding arises.
"""

from __future__ import annotations

from typing import Any

import msgspec

NAMESPACES = 10
LEAVES = ("blue", "green")
# Generations wrap: every weight stays between 1 and 999, whose text has only one form.
_GENERATIONS = 998

_SPLITS = "/apis/split.smi-spec.io/v1alpha2/namespaces"
_PROFILES = "/apis/linkerd.io/v1alpha2/namespaces"


def namespace(index: int) -> str:
    """Where split number `index` lies."""
    return f"bench-{index % NAMESPACES}"


def service(index: int) -> str:
    """Apex Service and split alike."""
    return f"web-{index:05d}"


def profile(index: int) -> str:
    """The profile's name."""
    return f"{service(index)}.{namespace(index)}.svc.cluster.local"


def weights(generation: int) -> tuple[int, int]:
    """Both weights; they add up to 1000, as the guide's do."""
    first = generation % _GENERATIONS + 1
    return first, 1000 - first


def services_path(where: str) -> str:
    """The collection of Services."""
    return f"/api/v1/namespaces/{where}/services?fieldManager=bench"


def splits_path(index: int) -> str:
    """The collection that split number `index` is created in."""
    return f"{_SPLITS}/{namespace(index)}/trafficsplits?fieldManager=bench"


def split_path(index: int) -> str:
    """The split itself."""
    return f"{_SPLITS}/{namespace(index)}/trafficsplits/{service(index)}?fieldManager=bench"


def profiles_path(index: int) -> str:
    """The collection that the profile is created in."""
    return f"{_PROFILES}/{namespace(index)}/serviceprofiles?fieldManager=smi-adaptor"


def profile_path(index: int) -> str:
    """The profile itself."""
    where = f"{_PROFILES}/{namespace(index)}/serviceprofiles/{profile(index)}"
    return f"{where}?fieldManager=smi-adaptor"


def service_body(name: str) -> bytes:
    """A plain Service with a cluster IP."""
    return msgspec.json.encode(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name},
            "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": 8080}]},
        }
    )


def split_body(index: int, generation: int) -> bytes:
    """A new split, as the guide writes them."""
    return msgspec.json.encode(
        {
            "apiVersion": "split.smi-spec.io/v1alpha2",
            "kind": "TrafficSplit",
            "metadata": {"name": service(index)},
            "spec": {"service": service(index), "backends": _backends(generation)},
        }
    )


def split_patch(generation: int) -> bytes:
    """A merge patch that changes a split's weights."""
    return msgspec.json.encode({"spec": {"backends": _backends(generation)}})


def profile_body(index: int, generation: int) -> bytes:
    """A new profile with the overrides that the split asks for."""
    return msgspec.json.encode(
        {
            "apiVersion": "linkerd.io/v1alpha2",
            "kind": "ServiceProfile",
            "metadata": {"name": profile(index)},
            "spec": {"dstOverrides": _overrides(index, generation)},
        }
    )


def profile_patch(index: int, generation: int) -> bytes:
    """A merge patch that changes a profile's overrides."""
    return msgspec.json.encode({"spec": {"dstOverrides": _overrides(index, generation)}})


def _backends(generation: int) -> list[dict[str, Any]]:
    return [
        {"service": leaf, "weight": weight}
        for leaf, weight in zip(LEAVES, weights(generation), strict=True)
    ]


def _overrides(index: int, generation: int) -> list[dict[str, str]]:
    where = namespace(index)
    return [
        {"authority": f"{leaf}.{where}.svc.cluster.local", "weight": str(weight)}
        for leaf, weight in zip(LEAVES, weights(generation), strict=True)
    ]
