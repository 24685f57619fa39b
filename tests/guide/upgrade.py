"""How to tell the Go extension's objects in a cluster from ours."""

from __future__ import annotations

import re

from reactor import __version__
from tests.cluster.api import CRDS, Api, Object, Resource

_DEPLOYMENTS = Resource("apps", "v1", "deployments")
_SPLITS = "trafficsplits.split.smi-spec.io"


async def is_the_old_extension(api: Api) -> None:
    """Its image and limit, and a definition with two versions."""
    container = await _container(api)
    assert container["image"] == "cr.l5d.io/linkerd/smi-adaptor:v0.2.7"
    assert container["resources"]["limits"]["memory"] == "20Mi"
    assert await _served(api) == ["v1alpha1", "v1alpha2"]


async def is_our_extension(api: Api) -> None:
    """Our image and limits, nothing stuck; a definition with all versions that Helm will keep."""
    container = await _container(api)
    assert container["image"].endswith(f"/smi-adaptor:{__version__}")
    assert not container["image"].startswith("cr.l5d.io/")
    assert re.fullmatch(r"[1-9]\d\dMi", container["resources"]["limits"]["memory"])
    deployment = await api.get(_DEPLOYMENTS, "smi-adaptor", "linkerd-smi")
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    assert await _served(api) == ["v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"]
    definition = await api.get(CRDS, _SPLITS)
    assert definition["status"]["storedVersions"] == ["v1alpha1"]
    assert definition["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


async def node_selector(api: Api) -> object:
    """The one value that the user of the old chart chose."""
    deployment = await api.get(_DEPLOYMENTS, "smi-adaptor", "linkerd-smi")
    return deployment["spec"]["template"]["spec"].get("nodeSelector")


async def _container(api: Api) -> Object:
    deployment = await api.get(_DEPLOYMENTS, "smi-adaptor", "linkerd-smi")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    found: Object = container
    return found


async def _served(api: Api) -> list[str]:
    definition = await api.get(CRDS, _SPLITS)
    return [one["name"] for one in definition["spec"]["versions"] if one["served"]]
