"""TokenReview and the access reviews: questions that are answered and never stored."""

from __future__ import annotations

from typing import Any

from reactor.sandbox.documents import Document
from reactor.sandbox.identity import Tokens, User
from reactor.sandbox.names import refused
from reactor.sandbox.rbac import Access, Authorizer
from reactor.sandbox.status import Subject, bad_request, invalid


class Reviews:
    """Answers a review document in place."""

    def __init__(self, *, tokens: Tokens, authorizer: Authorizer) -> None:
        self._tokens = tokens
        self._authorizer = authorizer

    def answer(self, kind: str, document: Document, user: User) -> Document:
        """Fill in `status`. Raises StatusError (400, 422)."""
        if kind == "SelfSubjectReview":
            info = {"username": user.name, "uid": user.uid, "groups": list(user.groups)}
            document["status"] = {"userInfo": info}
            return document
        spec = document.get("spec")
        if not isinstance(spec, dict):
            raise bad_request("spec is required")
        if kind == "TokenReview":
            document["status"] = self._token(spec)
            return document
        if kind == "SubjectAccessReview":
            user = User(spec.get("user", ""), tuple(spec.get("groups") or ()))
        allowed = self._authorizer.allows(user, _access(spec))
        document["status"] = {"allowed": allowed}
        return document

    def _token(self, spec: dict[str, Any]) -> Document:
        user = self._tokens.find(spec.get("token", ""))
        if user is None:
            return {"user": {}, "error": "invalid bearer token"}
        return {
            "authenticated": True,
            "user": {"username": user.name, "uid": user.uid, "groups": list(user.groups)},
            "audiences": ["https://kubernetes.default.svc.cluster.local"],
        }


def _access(spec: dict[str, Any]) -> Access:
    bare: Document | None = spec.get("nonResourceAttributes")
    resource: Document | None = spec.get("resourceAttributes")
    if (bare is None) == (resource is None):
        told = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        raise invalid(
            Subject("authorization.k8s.io", ""), [refused("spec.resourceAttributes", None, told)]
        )
    if resource is None:
        bare = bare or {}
        return Access(bare.get("verb", ""), path=bare.get("path", ""))
    return Access(
        resource.get("verb", ""),
        group=resource.get("group", ""),
        resource=resource.get("resource", ""),
        subresource=resource.get("subresource", ""),
        namespace=resource.get("namespace", ""),
        name=resource.get("name", ""),
    )
