"""Role-based access control over the stored roles and bindings."""

from __future__ import annotations

import msgspec

from reactor.sandbox.documents import Document
from reactor.sandbox.identity import ADMINS, User
from reactor.sandbox.status import StatusError, Subject, forbidden
from reactor.sandbox.storage import Change, Store

GROUP = "rbac.authorization.k8s.io"
_KINDS = {
    "clusterroles": "ClusterRole",
    "clusterrolebindings": "ClusterRoleBinding",
    "roles": "Role",
    "rolebindings": "RoleBinding",
}


class Access(msgspec.Struct, frozen=True):
    """What somebody wants to do: to a resource, or to a bare path."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def target(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


class Authorizer:
    """Decides by the rules now stored; they are read again only when a role changes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._documents: dict[str, list[Document]] | None = None
        for plural in _KINDS:
            store.table((GROUP, plural)).listeners.append(self._forget)

    def check(self, user: User, access: Access) -> None:
        """Raises StatusError (403), in the API server's words."""
        if not self.allows(user, access):
            raise refusal(user, access)

    def allows(self, user: User, access: Access) -> bool:
        """Whether any binding of the user, or of a group, grants it."""
        if ADMINS in user.groups:
            return True
        roles = self._read()
        for binding in roles["clusterrolebindings"]:
            if _binds(binding, user, "") and self._grants(binding, "", access):
                return True
        if access.path or not access.namespace:
            return False
        for binding in roles["rolebindings"]:
            namespace = binding["metadata"]["namespace"]
            if namespace != access.namespace or not _binds(binding, user, namespace):
                continue
            if self._grants(binding, namespace, access):
                return True
        return False

    def _grants(self, binding: Document, namespace: str, access: Access) -> bool:
        reference = binding.get("roleRef") or {}
        plural = "clusterroles" if reference.get("kind") == "ClusterRole" else "roles"
        for role in self._read()[plural]:
            metadata = role["metadata"]
            if metadata["name"] != reference.get("name"):
                continue
            if plural == "roles" and metadata.get("namespace") != namespace:
                continue
            return any(_rule_allows(rule, access) for rule in role.get("rules") or [])
        return False

    def _read(self) -> dict[str, list[Document]]:
        if self._documents is None:
            self._documents = {
                plural: [
                    stored.document(f"{GROUP}/v1", kind)
                    for stored in self._store.table((GROUP, plural)).within("")
                ]
                for plural, kind in _KINDS.items()
            }
        return self._documents

    def _forget(self, change: Change) -> None:
        self._documents = None


def refusal(user: User, access: Access) -> StatusError:
    """The 403 that the API server answers."""
    if access.path:
        return forbidden(
            Subject("", ""), f'User "{user.name}" cannot {access.verb} path "{access.path}"'
        )
    where = f'in the namespace "{access.namespace}"' if access.namespace else "at the cluster scope"
    return forbidden(
        Subject(access.group, access.resource, access.name),
        f'User "{user.name}" cannot {access.verb} resource "{access.target}" '
        f'in API group "{access.group}" {where}',
    )


def _binds(binding: Document, user: User, namespace: str) -> bool:
    for subject in binding.get("subjects") or []:
        kind, name = subject.get("kind"), subject.get("name")
        if kind == "User" and name == user.name:
            return True
        if kind == "Group" and name in user.groups:
            return True
        if kind == "ServiceAccount":
            space = subject.get("namespace") or namespace
            if user.name == f"system:serviceaccount:{space}:{name}":
                return True
    return False


def _rule_allows(rule: Document, access: Access) -> bool:
    verbs = rule.get("verbs") or []
    if "*" not in verbs and access.verb not in verbs:
        return False
    if access.path:
        return any(_path_matches(url, access.path) for url in rule.get("nonResourceURLs") or [])
    groups, resources = rule.get("apiGroups") or [], rule.get("resources") or []
    if "*" not in groups and access.group not in groups:
        return False
    any_of = {"*", access.target}
    if access.subresource:
        any_of.add(f"*/{access.subresource}")
    if not any_of & set(resources):
        return False
    only = rule.get("resourceNames") or []
    return not only or access.name in only


def _path_matches(pattern: str, path: str) -> bool:
    if pattern.endswith("*"):
        return path.startswith(pattern[:-1])
    return pattern == path
