"""What is in a cluster before anybody wrote to it: namespaces, the API server's own Service, and
the roles of everyone.
"""

from __future__ import annotations

from reactor.sandbox.documents import Document
from reactor.sandbox.rbac import GROUP

_OPEN = ("/healthz", "/livez", "/readyz", "/version", "/version/")
_DISCOVERY = (*_OPEN, "/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*")


# By its uid a cluster is known.
_SERVICE: Document = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {
        "name": "kubernetes",
        "namespace": "default",
        "labels": {"component": "apiserver", "provider": "kubernetes"},
    },
    "spec": {
        "type": "ClusterIP",
        "clusterIP": "10.96.0.1",
        "clusterIPs": ["10.96.0.1"],
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
        "sessionAffinity": "None",
    },
    "status": {"loadBalancer": {}},
}


def documents() -> list[Document]:
    """In the order to store them."""
    return [
        *(
            _namespace(name)
            for name in ("default", "kube-node-lease", "kube-public", "kube-system")
        ),
        _SERVICE,
        *_bound(
            "cluster-admin",
            "system:masters",
            [
                {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
                {"nonResourceURLs": ["*"], "verbs": ["*"]},
            ],
        ),
        *_bound(
            "system:discovery",
            "system:authenticated",
            [{"nonResourceURLs": list(_DISCOVERY), "verbs": ["get"]}],
        ),
        *_bound(
            "system:public-info-viewer",
            "system:unauthenticated",
            [{"nonResourceURLs": list(_OPEN), "verbs": ["get"]}],
        ),
        *_bound(
            "system:basic-user",
            "system:authenticated",
            [
                {
                    "apiGroups": ["authorization.k8s.io"],
                    "resources": ["selfsubjectaccessreviews"],
                    "verbs": ["create"],
                },
                {
                    "apiGroups": ["authentication.k8s.io"],
                    "resources": ["selfsubjectreviews"],
                    "verbs": ["create"],
                },
            ],
        ),
    ]


def _namespace(name: str) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def _bound(name: str, everyone: str, rules: list[Document]) -> list[Document]:
    """A cluster role, and its binding to a group."""
    return [
        {
            "apiVersion": f"{GROUP}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": rules,
        },
        {
            "apiVersion": f"{GROUP}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": GROUP, "kind": "Group", "name": everyone}],
        },
    ]
