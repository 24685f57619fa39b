"""Asks the API server what the adaptor's ServiceAccount may do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from reactor.check import rights
from reactor.check.cluster import Cluster
from reactor.check.result import Trouble
from reactor.check.rights import Right
from reactor.errors import Terminal
from reactor.kube.requests import Requests

Impersonate = Callable[[str, Sequence[str]], AbstractAsyncContextManager[Requests]]


class Access:
    """``roles``: the Role and ClusterRole that we ship. ``impersonate`` gives a connection as
    another user with these groups; None when the caller is impersonating somebody already."""

    def __init__(
        self,
        *,
        connection: Requests,
        impersonate: Impersonate | None,
        roles: Sequence[dict[str, Any]],
    ) -> None:
        self._cluster = Cluster(connection)
        self._impersonate = impersonate
        self._roles = roles

    async def sufficient(self, namespace: str, install: str) -> Trouble | None:
        """Whether our roles are in force for it: asked as the account, or else about it."""
        wanted = rights.rights(self._roles, namespace)
        try:
            missing = await self._missing(wanted, namespace)
        except Terminal as error:
            if error.status != 403:
                raise
            return rights.unknown(namespace)
        return rights.sufficient(missing, install)

    async def _missing(self, wanted: Sequence[Right], namespace: str) -> list[Right]:
        if self._impersonate is not None:
            user, groups = rights.user(namespace), rights.groups(namespace)
            try:
                async with self._impersonate(user, groups) as connection:
                    return await _denied(Cluster(connection), wanted, None)
            except Terminal as error:
                if error.status != 403:
                    raise
        return await _denied(self._cluster, wanted, namespace)


async def _denied(cluster: Cluster, wanted: Sequence[Right], namespace: str | None) -> list[Right]:
    reviews = [cluster.allowed(*rights.review(right, namespace)) for right in wanted]
    answers = await asyncio.gather(*reviews, return_exceptions=True)
    missing = []
    for right, answer in zip(wanted, answers, strict=True):
        if isinstance(answer, BaseException):
            raise answer
        if not answer:
            missing.append(right)
    return missing
