"""The kinds that tests speak of, as the API addresses them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Resource:
    """A kind as the API addresses it; group "" is the core group."""

    group: str
    version: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """The collection's path, or the object's when a name is given."""
        parts = ["", "apis", self.group] if self.group else ["", "api"]
        parts.append(self.version)
        if namespace is not None and self.namespaced:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        if name is not None:
            parts.append(name)
        return "/".join(parts)

    def at(self, version: str) -> Resource:
        """The same kind in another version."""
        return Resource(self.group, version, self.plural, self.namespaced)


TRAFFICSPLITS = Resource("split.smi-spec.io", "v1alpha1", "trafficsplits")
SERVICEPROFILES = Resource("linkerd.io", "v1alpha2", "serviceprofiles")
SERVICES = Resource("", "v1", "services")
PODS = Resource("", "v1", "pods")
EVENTS = Resource("", "v1", "events")
NAMESPACES = Resource("", "v1", "namespaces", namespaced=False)
NODES = Resource("", "v1", "nodes", namespaced=False)
ENDPOINTSLICES = Resource("discovery.k8s.io", "v1", "endpointslices")
LEASES = Resource("coordination.k8s.io", "v1", "leases")
CRDS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", namespaced=False)
