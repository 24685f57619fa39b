"""Who may read the admin port: asked of the API server, remembered for a minute."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from reactor.errors import ReactorError, Retryable
from reactor.kube.requests import Requests

Verdict = Literal["allowed", "unauthenticated", "forbidden"]

_FRESH = 60.0  # seconds
_CAPACITY = 1024  # answers; the one unused for longest goes first
_TIMEOUT = 10.0


class _User(msgspec.Struct):
    username: str = ""
    uid: str = ""
    groups: list[str] = []
    extra: dict[str, list[str]] = {}


class _Status(msgspec.Struct):
    authenticated: bool = False
    user: _User = msgspec.field(default_factory=_User)
    allowed: bool = False


class _Review(msgspec.Struct):
    status: _Status = msgspec.field(default_factory=_Status)


class Reviewer:
    """TokenReview, then SubjectAccessReview for the verb get on a non-resource URL."""

    def __init__(
        self, *, connection: Requests, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._connection = connection
        self._clock = clock
        # By the token's hash: a dump of this process shows no one else's token.
        self._known: OrderedDict[tuple[bytes, str], tuple[float, Verdict]] = OrderedDict()
        self._asked: dict[tuple[bytes, str], asyncio.Lock] = {}

    async def may_get(self, token: str, path: str) -> Verdict:
        """Whether the bearer of this token may GET this path.

        Retryable while the API server can't say; never an opinion of ours.
        """
        key = (hashlib.sha256(token.encode()).digest(), path)
        lock = self._asked.setdefault(key, asyncio.Lock())
        try:
            async with lock:  # many requests of one browser become one question
                known = self._known.get(key)
                if known is not None and self._clock() - known[0] < _FRESH:
                    self._known.move_to_end(key)
                    return known[1]
                verdict = await self._ask(token, path)
                self._known[key] = (self._clock(), verdict)
                self._known.move_to_end(key)
                if len(self._known) > _CAPACITY:
                    self._known.popitem(last=False)
                return verdict
        finally:
            if not lock.locked():
                self._asked.pop(key, None)

    async def _ask(self, token: str, path: str) -> Verdict:
        review = await self._review(
            "authentication.k8s.io", "TokenReview", "tokenreviews", {"token": token}
        )
        if not review.authenticated:
            return "unauthenticated"
        user = review.user
        spec: dict[str, Any] = {
            "nonResourceAttributes": {"path": path, "verb": "get"},
            "user": user.username,
            "groups": user.groups,
        }
        if user.uid:
            spec["uid"] = user.uid
        if user.extra:
            spec["extra"] = user.extra
        review = await self._review(
            "authorization.k8s.io", "SubjectAccessReview", "subjectaccessreviews", spec
        )
        return "allowed" if review.allowed else "forbidden"

    async def _review(self, group: str, kind: str, plural: str, spec: dict[str, Any]) -> _Status:
        body = msgspec.json.encode({"apiVersion": f"{group}/v1", "kind": kind, "spec": spec})
        try:
            answer = await self._connection.request(
                "POST", f"/apis/{group}/v1/{plural}", body=body, timeout=_TIMEOUT, resource=plural
            )
            return msgspec.json.decode(answer.body, type=_Review).status
        except (ReactorError, msgspec.MsgspecError) as error:
            # Also when we lack the right to ask: that is our trouble, not the reader's.
            raise Retryable(f"can't ask the API server who this is: {error}") from error
