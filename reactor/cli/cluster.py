"""From the global flags to a connection, and from a coroutine to an exit code."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Coroutine
from typing import TypeVar

from reactor.cli.globals import Globals
from reactor.cli.say import say
from reactor.errors import Fatal, ReactorError, Retryable
from reactor.kube.connection import Connection

T = TypeVar("T")

_PATIENCE = 10.0  # seconds for an answer that a command can do without


def connect(given: Globals) -> Connection:
    """The cluster that kubectl would take with the same flags; Fatal when there is none."""
    connection = Connection.from_kubeconfig(
        given.kubeconfig,
        environ=os.environ,
        context=given.context,
        as_user=given.as_user,
        as_groups=given.as_groups,
        agent="linkerd-smi",
        observed=_tell if given.verbose else _keep_still,
    )
    if given.verbose:
        whom = f" as {given.as_user}" if given.as_user else ""
        say(f"asking {connection.server}{whom}")
    return connection


def run(work: Coroutine[object, object, T]) -> T:
    """Runs it to its end; what the API server refuses ends in one line, exit code 1."""
    try:
        return asyncio.run(work)
    except Fatal:
        raise
    except ReactorError as error:
        raise Fatal(str(error)) from error


async def soon(connection: Connection, answer: Awaitable[T]) -> T:
    """The answer of the cluster, which has 10 s for it; Retryable when it takes longer."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return await answer
    except TimeoutError as error:
        raise Retryable(f"{connection.server} did not answer in {_PATIENCE:.0f} s") from error


def _tell(verb: str, resource: str, code: str, seconds: float) -> None:
    say(f"{verb} {resource}: {code} in {seconds * 1000:.0f} ms")


def _keep_still(verb: str, resource: str, code: str, seconds: float) -> None:
    pass
