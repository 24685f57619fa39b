"""Whatever a client sends is stored or refused with a status: nothing crashes the server."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor.sandbox.cluster import Cluster
from reactor.sandbox.documents import encode
from reactor.sandbox.identity import Tokens, User
from reactor.sandbox.rbac import Authorizer
from reactor.sandbox.request import parse
from reactor.sandbox.resources import Resources, Wish
from reactor.sandbox.reviews import Reviews
from reactor.sandbox.status import StatusError
from tests.unit.sandbox.client import CONFIGMAPS, MERGE, PROFILES, SPLITS

ROOT = User("root", ("system:masters",))
KEYS = st.sampled_from(
    [
        *("name", "namespace", "labels", "annotations", "finalizers", "ownerReferences"),
        *("managedFields", "uid", "generation", "resourceVersion", "deletionTimestamp"),
        *("service", "backends", "weight", "ports", "containers", "template", "selector"),
        *("subjects", "roleRef", "rules", "spec", "status", "metadata", "versions", "names"),
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["default", "1", "x", "$patch", "delete"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=10,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=5)
PATHS = {
    SPLITS: ("split.smi-spec.io/v1alpha2", "TrafficSplit"),
    PROFILES: ("linkerd.io/v1alpha2", "ServiceProfile"),
    CONFIGMAPS: ("v1", "ConfigMap"),
    "/api/v1/namespaces/default/services": ("v1", "Service"),
    "/api/v1/namespaces": ("v1", "Namespace"),
    "/api/v1/namespaces/default/events": ("v1", "Event"),
    "/apis/apps/v1/namespaces/default/deployments": ("apps/v1", "Deployment"),
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings": (
        "rbac.authorization.k8s.io/v1",
        "ClusterRoleBinding",
    ),
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions": (
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
    ),
    "/apis/authorization.k8s.io/v1/subjectaccessreviews": (
        "authorization.k8s.io/v1",
        "SubjectAccessReview",
    ),
}


class Server:
    """All of the server but HTTP."""

    def __init__(self) -> None:
        self.cluster = Cluster()
        self.authorizer = Authorizer(self.cluster.storage)
        self.resources = Resources(
            store=self.cluster.storage,
            registry=self.cluster.registry,
            objects=self.cluster.objects,
            reviews=Reviews(tokens=Tokens(), authorizer=self.authorizer),
        )

    def send(self, method: str, path: str, body: bytes, kind: str = "application/json") -> int:
        """The status of the answer."""
        request = parse(method, path, {})
        try:
            found = self.resources.answer(Wish(request, ROOT, body, content_type=kind))
        except StatusError as error:
            return int(json.loads(encode(error.document))["code"])
        return found.status


@pytest.mark.parametrize("path", PATHS)
@settings(max_examples=30)
@given(metadata=st.none() | OBJECTS, rest=OBJECTS, patch=VALUES)
def test_any_document_and_any_patch_is_answered(
    path: str, metadata: dict[str, Any] | None, rest: dict[str, Any], patch: Any
) -> None:
    server = Server()
    api_version, kind = PATHS[path]
    document = {**rest, "apiVersion": api_version, "kind": kind}
    if metadata is not None:
        document["metadata"] = {"name": "a", **metadata}
    server.send("POST", path, encode(document))
    server.send("POST", path, encode({**document, "metadata": {"name": "a"}}))
    strategic = "application/strategic-merge-patch+json"
    for content_type in (MERGE, strategic, "application/json-patch+json"):
        server.send("PATCH", f"{path}/a", encode(patch), content_type)
    server.send("PUT", f"{path}/a", encode(document))
    server.send("DELETE", f"{path}/a", encode(patch))
    server.authorizer.allows(User("somebody"), parse("GET", SPLITS, {}).access)
    # What got in can be read by everyone.
    assert server.send("GET", path, b"") in (200, 405)


@settings(max_examples=50)
@given(st.binary(max_size=40), st.sampled_from(["POST", "PUT", "PATCH", "DELETE"]))
def test_any_body_is_answered(body: bytes, method: str) -> None:
    server = Server()
    for kind in ("application/json", "application/yaml", MERGE, "application/json-patch+json"):
        server.send(method, f"{SPLITS}/a", body, kind)
        server.send(method, SPLITS, body, kind)
