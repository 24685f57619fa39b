"""The Deployment, equal to what the chart's templates/deployment.yaml makes of the same values."""

from __future__ import annotations

import re
from typing import Any

from reactor import __version__
from reactor.install.archive import Archive
from reactor.install.model import Adaptor, Audit, Image, Resources, Retention, Values
from reactor.install.resources import quantities
from reactor.install.volume import Volume

Object = dict[str, Any]

LABEL = {"linkerd.io/extension": "smi"}
SELECTOR = {**LABEL, "component": "smi-adaptor"}

_REGISTRY = "ghcr.io/linkerd-smi-reactor"
# What the Go extension's chart had as defaults: nobody chose it, so it counts as unset.
_OLD_REGISTRY = "cr.l5d.io/linkerd"
_OLD_TAG = re.compile(r"v0\.[0-2]\.[0-9]+")
_NOBODY = 65534


def deployment(
    values: Values, *, namespace: str, volume: Volume, archive: Archive | None, replicas: int
) -> Object:
    """The adaptor's Deployment."""
    adaptor = values.adaptor or Adaptor()
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "smi-adaptor",
            "namespace": namespace,
            "labels": {
                **SELECTOR,
                "app.kubernetes.io/name": "smi-adaptor",
                "app.kubernetes.io/part-of": "Linkerd",
                "app.kubernetes.io/version": __version__,
            },
        },
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": SELECTOR},
            # The old pod goes first: two would wait for each other's Lease, or for the volume.
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1},
            },
            "template": {
                "metadata": {
                    "annotations": _annotations(adaptor.pod_annotations or {}),
                    "labels": {**(adaptor.pod_labels or {}), **SELECTOR},
                },
                "spec": {
                    "serviceAccountName": "smi-adaptor",
                    # A Service's variables would look like settings of ours.
                    "enableServiceLinks": False,
                    **present("priorityClassName", values.priority_class_name),
                    "securityContext": _pod_security(adaptor.fs_group),
                    **present("nodeSelector", adaptor.node_selector),
                    **present("affinity", adaptor.affinity),
                    **present("tolerations", adaptor.tolerations),
                    "containers": [_container(values, adaptor, archive)],
                    "volumes": [
                        {"name": "audit", **_source(volume)},
                        *(archive.volumes if archive else ()),
                    ],
                },
            },
        },
    }


def present(name: str, value: object) -> Object:
    """A field, unless the value is empty: what a template's `with` does."""
    return {name: value} if value else {}


def _container(values: Values, adaptor: Adaptor, archive: Archive | None) -> Object:
    image = adaptor.image or Image()
    return {
        "name": "smi-adaptor",
        "image": _reference(image),
        "imagePullPolicy": image.pull_policy or "IfNotPresent",
        "args": [*_flags(values, adaptor), *(archive.flags if archive else ())],
        "env": [
            _from_field("POD_NAMESPACE", "metadata.namespace"),
            _from_field("POD_NAME", "metadata.name"),
            *(archive.env if archive else ()),
        ],
        "ports": [{"name": "admin-http", "containerPort": 9995}],
        "livenessProbe": {**_probe("/live"), "initialDelaySeconds": 10, "timeoutSeconds": 5},
        "readinessProbe": {**_probe("/ready"), "periodSeconds": 5, "timeoutSeconds": 5},
        **present("resources", quantities(adaptor.resources or Resources())),
        # Pod security `restricted` asks for all of this.
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            **present("runAsUser", adaptor.run_as_user),
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [
            {"name": "audit", "mountPath": "/data"},
            *(archive.mounts if archive else ()),
        ],
    }


def _flags(values: Values, adaptor: Adaptor) -> list[str]:
    retention = (values.audit or Audit()).retention or Retention()
    return [
        f"-cluster-domain={values.cluster_domain or 'cluster.local'}",
        f"-cluster-name={values.cluster_name or 'default'}",
        f"-log-level={adaptor.log_level or 'info'}",
        f"-log-format={adaptor.log_format or 'plain'}",
        f"-orphans={adaptor.orphans or 'delete'}",
        f"-audit-retention-age={retention.age or '30d'}",
        f"-audit-retention-size={retention.size or '1GiB'}",
    ]


def _reference(image: Image) -> str:
    registry, tag = image.registry, image.tag
    if not registry or registry == _OLD_REGISTRY:
        registry = _REGISTRY
    if not tag or _OLD_TAG.fullmatch(tag):
        tag = __version__
    return f"{registry}/{image.name or 'smi-adaptor'}:{tag}"


def _annotations(given: dict[str, str]) -> dict[str, str]:
    inject = "linkerd.io/inject"
    return {**given, inject: given.get(inject) or "enabled"}


def _pod_security(fs_group: int | None) -> Object:
    return {
        **present("fsGroup", _NOBODY if fs_group is None else fs_group),
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _source(volume: Volume) -> Object:
    if volume.claim is not None:
        return {"persistentVolumeClaim": {"claimName": volume.claim}}
    return {"emptyDir": {"sizeLimit": volume.size}}


def _from_field(name: str, path: str) -> Object:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def _probe(path: str) -> Object:
    return {"httpGet": {"path": path, "port": "admin-http"}}
