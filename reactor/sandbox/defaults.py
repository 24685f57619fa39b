"""Defaults that the API server fills into built-in kinds, as far as clients look at them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from ipaddress import IPv4Address
from itertools import count

from reactor.sandbox.documents import Document

Fill = Callable[[Document], None]


class Defaults:
    """Fills in a document of a built-in kind, in place. Owns the cluster IPs it gives out."""

    def __init__(self) -> None:
        self._addresses = count(int(IPv4Address("10.96.0.10")))
        self._fills: dict[tuple[str, str], Fill] = {
            ("", "namespaces"): _namespace,
            ("", "services"): self._service,
            ("", "events"): _event,
            ("", "secrets"): _secret,
            ("", "pods"): _pod,
            ("apps", "deployments"): _deployment,
            ("apps", "replicasets"): _replicaset,
            ("batch", "jobs"): _job,
            ("rbac.authorization.k8s.io", "clusterrolebindings"): _binding,
            ("rbac.authorization.k8s.io", "rolebindings"): _binding,
            ("apiextensions.k8s.io", "customresourcedefinitions"): _definition,
        }

    def fill(self, key: tuple[str, str], document: Document, old: Document | None) -> None:
        """`old` is the stored object at an update."""
        if key == ("", "services") and old is not None:
            # Omitting the address in an update keeps it.
            spec, held = document.setdefault("spec", {}), old.get("spec", {})
            for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
                if field in held and not spec.get(field):
                    spec[field] = held[field]
        fill = self._fills.get(key)
        if fill is not None:
            fill(document)

    def allocate(self, key: tuple[str, str], document: Document) -> None:
        """What is filled in past field ownership: nobody owns an address that the server gave."""
        if key == ("", "services"):
            spec = document["spec"]
            if spec["type"] == "ExternalName":
                return
            if not spec.get("clusterIP"):
                spec["clusterIP"] = str(IPv4Address(next(self._addresses)))
            spec.setdefault("clusterIPs", [spec["clusterIP"]])
            both = spec["clusterIP"] == "None" and not spec.get("selector")
            spec.setdefault("ipFamilies", ["IPv4", "IPv6"] if both else ["IPv4"])
            spec.setdefault("ipFamilyPolicy", "RequireDualStack" if both else "SingleStack")

    def _service(self, document: Document) -> None:
        spec = document.setdefault("spec", {})
        kind = spec.setdefault("type", "ClusterIP")
        spec.setdefault("sessionAffinity", "None")
        if kind != "ExternalName":
            spec.setdefault("internalTrafficPolicy", "Cluster")
        for port in spec.get("ports") or []:
            port.setdefault("protocol", "TCP")
            port.setdefault("targetPort", port.get("port"))
        document.setdefault("status", {}).setdefault("loadBalancer", {})


def _namespace(document: Document) -> None:
    metadata = document["metadata"]
    labels = metadata.setdefault("labels", {})
    labels.setdefault("kubernetes.io/metadata.name", metadata.get("name", ""))
    document.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
    document.setdefault("status", {}).setdefault("phase", "Active")


def _event(document: Document) -> None:
    document.setdefault("eventTime", None)
    document.setdefault("reportingComponent", "")
    document.setdefault("reportingInstance", "")


def _secret(document: Document) -> None:
    document.setdefault("type", "Opaque")
    plain = document.pop("stringData", None) or {}
    if plain:
        data = document.setdefault("data", {})
        data.update({k: base64.b64encode(v.encode()).decode() for k, v in plain.items()})


def _pod_spec(spec: Document) -> None:
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("schedulerName", "default-scheduler")
    spec.setdefault("securityContext", {})
    spec.setdefault("terminationGracePeriodSeconds", 30)
    for container in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]:
        image = container.get("image", "")
        latest = ":" not in image.rsplit("/", 1)[-1] or image.endswith(":latest")
        container.setdefault("imagePullPolicy", "Always" if latest else "IfNotPresent")
        container.setdefault("resources", {})
        container.setdefault("terminationMessagePath", "/dev/termination-log")
        container.setdefault("terminationMessagePolicy", "File")
        for port in container.get("ports") or []:
            port.setdefault("protocol", "TCP")


def _pod(document: Document) -> None:
    spec = document.setdefault("spec", {})
    _pod_spec(spec)
    spec.setdefault("enableServiceLinks", True)
    document.setdefault("status", {}).setdefault("phase", "Pending")


def _template(document: Document) -> Document:
    spec: Document = document.setdefault("spec", {})
    template = spec.setdefault("template", {})
    template.setdefault("metadata", {})
    _pod_spec(template.setdefault("spec", {}))
    return spec


def _deployment(document: Document) -> None:
    spec = _template(document)
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    strategy = spec.setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    document.setdefault("status", {})


def _replicaset(document: Document) -> None:
    _template(document).setdefault("replicas", 1)
    document.setdefault("status", {}).setdefault("replicas", 0)


def _job(document: Document) -> None:
    spec = _template(document)
    spec.setdefault("backoffLimit", 6)
    spec.setdefault("completions", 1)
    spec.setdefault("parallelism", 1)
    document.setdefault("status", {})


def _binding(document: Document) -> None:
    for subject in document.get("subjects") or []:
        if subject.get("kind") in ("User", "Group"):
            subject.setdefault("apiGroup", "rbac.authorization.k8s.io")


def _definition(document: Document) -> None:
    spec = document.get("spec")
    if not isinstance(spec, dict) or not isinstance(spec.get("names"), dict):
        return
    names = spec["names"]
    names.setdefault("singular", str(names.get("kind", "")).lower())
    names.setdefault("listKind", str(names.get("kind", "")) + "List")
    spec.setdefault("conversion", {"strategy": "None"})
    versions = spec.get("versions") or []
    stored = [version.get("name") for version in versions if version.get("storage")]
    status = document.setdefault("status", {})
    status.setdefault("conditions", None)
    status.setdefault("acceptedNames", {"plural": "", "kind": ""})
    status.setdefault("storedVersions", stored)
