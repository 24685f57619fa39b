"""A request, read from its method, path and query: a verb on a resource, or a bare path."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from reactor.sandbox.rbac import Access
from reactor.sandbox.selectors import named

_VERBS = {
    "GET": "get",
    "HEAD": "get",
    "POST": "create",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}


class Request(msgspec.Struct, frozen=True):
    """`resource` is empty for a path that names none."""

    verb: str
    path: str
    query: Mapping[str, str]
    group: str = ""
    version: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def access(self) -> Access:
        """What authorization is asked."""
        if not self.resource:
            return Access(self.verb, path=self.path)
        name = self.name
        if not name and self.verb in ("list", "watch", "deletecollection"):
            name = named(self.query.get("fieldSelector", ""))
        return Access(self.verb, self.group, self.resource, self.subresource, self.namespace, name)

    def flag(self, key: str) -> bool:
        """Whether a boolean parameter is set."""
        return self.query.get(key, "").lower() in ("1", "true", "t", "yes")


def parse(method: str, path: str, query: Mapping[str, str]) -> Request:
    """Read a request as the API server's RequestInfo does."""
    verb = _VERBS.get(method, method.lower())
    parts = [part for part in path.split("/") if part]
    if len(parts) >= 3 and parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif len(parts) >= 4 and parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return Request(verb, path, query)
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        # /namespaces/NAME and its two subresources are about the namespace itself.
        if len(rest) > 2 and not (len(rest) == 3 and rest[2] in ("status", "finalize")):
            rest = rest[2:]
        elif group == "":
            return _about(verb, path, query, group, version, namespace, rest)
    return _about(verb, path, query, group, version, namespace, rest)


def _about(
    verb: str,
    path: str,
    query: Mapping[str, str],
    group: str,
    version: str,
    namespace: str,
    rest: list[str],
) -> Request:
    name = rest[1] if len(rest) > 1 else ""
    subresource = "/".join(rest[2:])
    if not name and verb in ("get", "delete"):
        watching = query.get("watch", "").lower() in ("1", "true")
        verb = {"get": "watch" if watching else "list", "delete": "deletecollection"}[verb]
    return Request(verb, path, query, group, version, rest[0], namespace, name, subresource)
