"""Where a resource's collection is served: fixed for most, asked for when versions come and go."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from reactor.errors import Retryable, Terminal
from reactor.kube.requests import Requests


class _Version(msgspec.Struct):
    version: str = ""


class _Group(msgspec.Struct):
    versions: list[_Version] = []


class Fixed:
    """A collection whose version never changes."""

    def __init__(self, path: str) -> None:
        self._path = path

    async def path(self) -> str | None:
        """Always the same."""
        return self._path


class Newest:
    """The newest version of a group that the API server serves and we know."""

    def __init__(
        self, *, connection: Requests, group: str, plural: str, versions: Sequence[str]
    ) -> None:
        self._connection = connection
        self._group = group
        self._plural = plural
        self._versions = versions

    async def path(self) -> str | None:
        """The collection's path; None while the group, or each version we know, is missing."""
        group = f"/apis/{self._group}"
        try:
            answer = await self._connection.request("GET", group, resource="apigroups")
        except Terminal as error:
            if error.status == 404:
                return None
            raise
        try:
            served = {v.version for v in msgspec.json.decode(answer.body, type=_Group).versions}
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:  # a proxy's page
            raise Retryable(f"GET {group}: the answer is no APIGroup: {error}") from error
        for version in self._versions:
            if version in served:
                return f"{group}/{version}/{self._plural}"
        return None
