"""Who may read the audit log over HTTP: a binding of the readers' role."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reactor.errors import Fatal
from reactor.install.model import Reader
from reactor.install.workload import LABEL

Object = dict[str, Any]

_GROUP = "rbac.authorization.k8s.io"
_NAME = "smi-adaptor-audit-reader"


def binding(readers: Sequence[Reader], *, namespace: str) -> Object:
    """The binding; Fatal when one of them can't be bound."""
    return {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": _NAME, "labels": LABEL},
        "roleRef": {"apiGroup": _GROUP, "kind": "ClusterRole", "name": _NAME},
        "subjects": [_subject(number, one, namespace) for number, one in enumerate(readers)],
    }


def _subject(number: int, reader: Reader, namespace: str) -> Object:
    named = {"kind": reader.kind, "name": reader.name}
    if reader.kind == "ServiceAccount":
        return {**named, "namespace": reader.namespace or namespace}
    if reader.namespace:
        raise Fatal(
            f"audit.readers[{number}]: a {reader.kind} is in no namespace: leave it out", code=2
        )
    return {**named, "apiGroup": _GROUP}
