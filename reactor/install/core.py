"""Whether Linkerd's core is up: an adaptor without it would have no proxy, and no profile to write.

Up means that of each part that matters here at least one replica is ready.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import msgspec

from reactor.errors import Fatal, Retryable, Terminal
from reactor.kube.objects import Object, get, listed
from reactor.kube.requests import Requests

PARTS = ("destination", "identity", "proxy-injector")

_LABEL = "linkerd.io/control-plane-component"
_PAUSE, _LONGEST = 0.25, 2.0  # seconds between two looks
_WAY_OUT = "--skip-checks renders without this"


class _Meta(msgspec.Struct, frozen=True):
    labels: dict[str, str] | None = None


class _Status(msgspec.Struct, frozen=True, rename="camel"):
    ready_replicas: int | None = None


class _Deployment(msgspec.Struct, frozen=True):
    metadata: _Meta = _Meta()
    status: _Status = _Status()


def missing(deployments: Sequence[Object]) -> list[str]:
    """The parts of which no replica is ready."""
    read = [msgspec.convert(one, _Deployment) for one in deployments]
    ready = {(one.metadata.labels or {}).get(_LABEL) for one in read if one.status.ready_replicas}
    return [part for part in PARTS if part not in ready]


async def wait_until_up(
    connection: Requests, *, namespace: str, seconds: float, say: Callable[[str], None]
) -> None:
    """Returns when the core is up, and tells ``say`` what it waits for; Fatal when it isn't."""
    deadline = time.monotonic() + seconds
    pause, told = _PAUSE, ""
    while True:
        why = await _trouble(connection, namespace)
        if not why:
            return
        left = deadline - time.monotonic()
        if left <= 0:
            raise Fatal(f"{why} (after {seconds:g} s); {_WAY_OUT}")
        if why != told:
            say(f"{why}; waiting up to {left:.0f} s")
            told = why
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST)


async def _trouble(connection: Requests, namespace: str) -> str:
    try:
        if await get(connection, f"/api/v1/namespaces/{namespace}") is None:
            # Nobody installs Linkerd within the next minutes: waiting would not help.
            raise Fatal(
                f"there is no namespace {namespace} with Linkerd's core: install Linkerd first, or "
                f"name its namespace with --linkerd-namespace; {_WAY_OUT}"
            )
        query = {"labelSelector": _LABEL}
        path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
        absent = missing([one async for one in listed(connection, path, query=query)])
    except Retryable as error:
        return f"the cluster does not answer: {error}"
    except Terminal as error:
        raise Fatal(f"can't see whether Linkerd's core is up: {error}; {_WAY_OUT}") from error
    if absent:
        return f"Linkerd's core is not up: nothing is ready of {', '.join(absent)} in {namespace}"
    return ""
