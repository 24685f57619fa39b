"""The rights that our roles give, one question each, and what it means when one is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from reactor.check.result import Trouble, some


class Right(msgspec.Struct, frozen=True):
    """One verb on one resource. ``namespace`` empty: of the whole cluster; ``name``: of any."""

    group: str
    resource: str
    verb: str
    namespace: str = ""
    name: str = ""

    def attributes(self) -> dict[str, str]:
        """ResourceAttributes of an access review."""
        return {key: value for key, value in msgspec.structs.asdict(self).items() if value}

    def __str__(self) -> str:
        kind = f"{self.resource}.{self.group}" if self.group else self.resource
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.verb} {kind}{'/' + self.name if self.name else ''}{where}"


def rights(roles: Iterable[dict[str, Any]], namespace: str) -> tuple[Right, ...]:
    """What these roles grant; a Role's rights are those in the extension's namespace."""
    return tuple(
        Right(group, resource, verb, namespace if role["kind"] == "Role" else "", name)
        for role in roles
        for rule in role["rules"]
        for group in rule.get("apiGroups", ())
        for resource in rule.get("resources", ())
        for name in rule.get("resourceNames", [""])
        for verb in rule["verbs"]
    )


def user(namespace: str) -> str:
    """The adaptor's name for RBAC."""
    return f"system:serviceaccount:{namespace}:smi-adaptor"


def groups(namespace: str) -> list[str]:
    """The groups of its token."""
    return [
        "system:serviceaccounts",
        f"system:serviceaccounts:{namespace}",
        "system:authenticated",
    ]


def review(right: Right, namespace: str | None) -> tuple[str, dict[str, Any]]:
    """Path and document of an access review: of the caller, or of the adaptor in a namespace."""
    spec: dict[str, Any] = {"resourceAttributes": right.attributes()}
    if namespace is None:
        kind = "SelfSubjectAccessReview"
    else:
        kind = "SubjectAccessReview"
        spec |= {"user": user(namespace), "groups": groups(namespace)}
    path = f"/apis/authorization.k8s.io/v1/{kind.lower()}s"
    return path, {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec}


def sufficient(missing: Sequence[Right], install: str) -> Trouble | None:
    """Whether nothing is missing."""
    if not missing:
        return None
    return Trouble(
        f"ServiceAccount smi-adaptor may not {some([str(right) for right in missing])}", install
    )


def unknown(namespace: str) -> Trouble:
    """When the person who asks may neither impersonate the adaptor nor ask about it."""
    return Trouble(
        "not checked: you may neither impersonate the adaptor's ServiceAccount nor create"
        " subjectaccessreviews.authorization.k8s.io",
        f"`kubectl auth can-i impersonate serviceaccounts --namespace {namespace}`",
        warning=True,
    )
