"""The log that the flags mean: a file, a URL, or the adaptor's in the cluster."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from urllib.parse import urlsplit

from reactor.check import adaptor, pods
from reactor.check.cluster import Cluster
from reactor.check.kinds import Pod
from reactor.check.place import searched
from reactor.cli.audit.given import Where
from reactor.cli.cluster import connect
from reactor.cli.globals import Globals
from reactor.cli.say import say
from reactor.client.local import file
from reactor.client.log import Log
from reactor.client.remote import Remote
from reactor.errors import Fatal, Retryable, Terminal
from reactor.kube.portforward import forwarded


@asynccontextmanager
async def opened(where: Where, given: Globals) -> AsyncIterator[Log]:
    """For as long as this is entered. Raises ReactorError: what is wrong, and what to do."""
    if where.db is not None:
        if where.archived:
            # Its driver takes time that nobody without an archive should spend.
            from reactor.client.archive import Archive

            archive = Archive(where.db, cluster=where.cluster, told=say)
            try:
                yield Log(archive)
            finally:
                await archive.close()
        else:
            yield Log(file(where.db))
        return
    url = f"http://{given.api_addr}" if where.url is None and given.api_addr else where.url
    if url is not None:
        if not re.match("https?://[^/]", url):
            raise Fatal(f"--url {url!r}: write one such as http://127.0.0.1:9995", code=2)
        if where.token and not _private(url):
            say(f"the token goes unencrypted to {url}: who listens in between can use it")
        async with Remote(url=url, token=where.token, lag=_lag) as remote:
            yield Log(remote)
        return
    async with connect(given) as connection:
        token = where.token
        if token is None and given.as_user is None:
            # The port knows no impersonation: with --as, our own token would be someone else's.
            token = await connection.token()
        try:
            pod = await _pod(Cluster(connection))
        except Terminal as error:
            raise Fatal(
                f"the adaptor can't be looked for: {error}; forward its port yourself, and"
                " give --url"
            ) from error
        meta = pod.metadata
        if given.verbose:
            say(f"asking pod {meta.namespace}/{meta.name} by {connection.server}")
        async with (
            forwarded(connection, meta.namespace, meta.name, adaptor.port(pod.spec)) as port,
            Remote(url=f"http://127.0.0.1:{port}", token=token, lag=_lag) as remote,
        ):
            yield Log(remote)


def _lag(source: str) -> None:
    say(f"not everything there is may be in this answer; it is from: {source}")


async def _pod(cluster: Cluster) -> Pod:
    """One that runs, rather one that is ready."""
    place = searched(await cluster.labelled(), await cluster.deployments())
    if place.namespace is None:
        why = place.trouble.error if place.trouble is not None else "there is no adaptor"
        raise Fatal(f"{why}; or give --url or --db")
    found = [
        pod
        for pod in pods.live(await cluster.pods(place.namespace))
        if pod.status.phase == "Running"
    ]
    if not found:
        raise Retryable(
            f"no pod of the adaptor runs in namespace {place.namespace}: see `linkerd smi check`"
        )
    return max(found, key=_ready)


def _private(url: str) -> bool:
    """Whether nobody on the way can read what is sent."""
    try:
        host = urlsplit(url).hostname or ""
        return url.startswith("https:") or host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _ready(pod: Pod) -> bool:
    return all(status.ready for status in pod.status.container_statuses or ())
