"""The rights that config/rbac grants, one by one, and users who have all but one of them."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.api import Object, Resource
from tests.cluster.crds import REPOSITORY, load
from tests.contract.cluster import Cluster

_GROUP = "rbac.authorization.k8s.io"
_RBAC = REPOSITORY / "config" / "rbac"
_CLUSTER_ROLES = Resource(_GROUP, "v1", "clusterroles", namespaced=False)
_CLUSTER_BINDINGS = Resource(_GROUP, "v1", "clusterrolebindings", namespaced=False)
_ROLES = Resource(_GROUP, "v1", "roles")
_BINDINGS = Resource(_GROUP, "v1", "rolebindings")


@dataclass(frozen=True, order=True)
class Right:
    """One verb on one resource."""

    resource: str
    verb: str

    def __str__(self) -> str:
        return f"{self.verb}-{self.resource}"


def cluster_role() -> Object:
    """The ClusterRole that we ship."""
    return load(_RBAC / "clusterrole.yaml")[0]


def role() -> Object:
    """The Role of the adaptor's own namespace that we ship."""
    return load(_RBAC / "role.yaml")[0]


def shipped() -> list[Right]:
    """Everything that they grant."""
    return sorted(
        Right(resource, verb)
        for document in (cluster_role(), role())
        for rule in document["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    )


@dataclass(frozen=True)
class User:
    """Somebody who has our rights, or nearly: `mend` grants what was left out."""

    kubeconfig: Path
    mend: Callable[[], Awaitable[None]]


def without(document: Object, missing: Right) -> Object:
    """A copy of a role that lacks one right."""
    found = copy.deepcopy(document)
    for rule in found["rules"]:
        if missing.resource in rule["resources"]:
            rule["verbs"] = [verb for verb in rule["verbs"] if verb != missing.verb]
    found["rules"] = [rule for rule in found["rules"] if rule["verbs"]]
    return found


@asynccontextmanager
async def someone_without(cluster: Cluster, missing: Right) -> AsyncIterator[User]:
    """A user bound to our roles less one right; the Role is for the test's namespace."""
    name = f"lacks-{missing}-{cluster.namespace}"
    subject = {"apiGroup": _GROUP, "kind": "User", "name": name}
    for roles, bindings, kind, document in (
        (_CLUSTER_ROLES, _CLUSTER_BINDINGS, "ClusterRole", cluster_role()),
        (_ROLES, _BINDINGS, "Role", role()),
    ):
        metadata = {"name": name}
        reduced = {**without(document, missing), "metadata": metadata}
        await cluster.api.create(roles, reduced, cluster.namespace)
        binding = {
            "apiVersion": f"{_GROUP}/v1",
            "kind": f"{kind}Binding",
            "metadata": metadata,
            "roleRef": {"apiGroup": _GROUP, "kind": kind, "name": name},
            "subjects": [subject],
        }
        await cluster.api.create(bindings, binding, cluster.namespace)

    async def mend() -> None:
        for roles, document in ((_CLUSTER_ROLES, cluster_role()), (_ROLES, role())):
            rules = {"rules": document["rules"]}
            await cluster.api.patch(roles, name, rules, cluster.namespace)

    try:
        yield User(_kubeconfig(cluster, name), mend)
    finally:
        await cluster.api.delete(_CLUSTER_BINDINGS, name)
        await cluster.api.delete(_CLUSTER_ROLES, name)


def _kubeconfig(cluster: Cluster, name: str) -> Path:
    path = cluster.directory / "user.kubeconfig"
    if cluster.sandbox is not None:
        return cluster.sandbox.write_kubeconfig(path, user=name)
    assert cluster.plane is not None
    config = json.loads(cluster.plane.admin_kubeconfig.read_text(encoding="utf-8"))
    config["users"][0]["user"]["as"] = name
    path.touch(mode=0o600)
    path.write_text(json.dumps(config), encoding="utf-8")
    return path
