"""Linkerd's core, as far as an extension meets it: definitions, pods, and the injector."""

from __future__ import annotations

from collections.abc import Iterator

from tests.cluster.api import Object
from tests.cluster.crds import linkerd_crds

NAMESPACE = "linkerd"
_COMPONENTS = ("destination", "identity", "proxy-injector")
_PART_OF = "linkerd.io/control-plane-component"
_CONTROL_PLANE = {"linkerd.io/control-plane-ns": NAMESPACE}


def definitions() -> list[Object]:
    """Linkerd's CRDs, and the injector; all that must be in force before the rest comes."""
    return [*linkerd_crds(), *_injector()]


def objects() -> list[Object]:
    """The namespace and what runs in it."""
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": NAMESPACE,
            "labels": {**_CONTROL_PLANE, "linkerd.io/is-control-plane": "true"},
        },
    }
    return [namespace, _configuration(), _role_for_extensions(), *map(_deployment, _COMPONENTS)]


def _configuration() -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "linkerd-config", "namespace": NAMESPACE, "labels": _CONTROL_PLANE},
        "data": {"values": "linkerdVersion: tests\nclusterDomain: cluster.local\n"},
    }


def _role_for_extensions() -> Object:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "ext-namespace-metadata-linkerd-config", "namespace": NAMESPACE},
        "rules": [
            {
                "apiGroups": [""],
                "resources": ["configmaps"],
                "resourceNames": ["linkerd-config"],
                "verbs": ["get"],
            }
        ],
    }


def _deployment(component: str) -> Object:
    labels = {_PART_OF: component, **_CONTROL_PLANE}
    container = {"name": component, "image": f"none.invalid/{component}"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": f"linkerd-{component}",
            "namespace": NAMESPACE,
            "labels": {**labels, "app.kubernetes.io/part-of": "Linkerd"},
        },
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels, "annotations": {"linkerd.io/inject": "enabled"}},
                "spec": {"containers": [container]},
            },
        },
    }


def _injector() -> Iterator[Object]:
    """Adds a proxy to pods that ask for one, as Linkerd's webhook does with much more in it."""
    group = "admissionregistration.k8s.io/v1"
    asked = "object.metadata.?annotations['linkerd.io/inject'].orValue('') == 'enabled'"
    proxy = "Object.spec.containers{name: 'linkerd-proxy', image: 'none.invalid/proxy'}"
    yield {
        "apiVersion": group,
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": "linkerd-proxy-injector"},
        "spec": {
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "resources": ["pods"],
                        "operations": ["CREATE"],
                    }
                ]
            },
            "matchConditions": [{"name": "asked", "expression": asked}],
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "mutations": [
                {
                    "patchType": "ApplyConfiguration",
                    "applyConfiguration": {
                        "expression": f"Object{{spec: Object.spec{{containers: [{proxy}]}}}}"
                    },
                }
            ],
        },
    }
    yield {
        "apiVersion": group,
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": "linkerd-proxy-injector"},
        "spec": {"policyName": "linkerd-proxy-injector"},
    }
