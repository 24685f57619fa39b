"""Requests to one API server: one aiohttp session, one TLS context, errors of ours.

A request costs about 215 us of CPU over TLS: headers are made once per identity, URLs come
encoded, and the session looks up neither cookies nor the environment's proxies each time.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple
from urllib.parse import urlencode

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from reactor import __version__
from reactor.errors import Fatal, ReactorError, Retryable, Terminal
from reactor.kube import kubeconfig, status, tls
from reactor.kube.credentials import Credentials, Identity
from reactor.kube.identity import impersonation, source
from reactor.kube.lines import lines
from reactor.kube.permissions import Permissions
from reactor.kube.proxy import from_environment
from reactor.kube.target import SERVICE_ACCOUNT, Target

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"

log = logging.getLogger(__name__)

_REREAD = 30.0  # seconds between two looks at client certificate files
_CONNECT = 10.0  # seconds to connect and shake hands
_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_WEBSOCKET = aiohttp.ClientWSTimeout(ws_receive=None, ws_close=1.0)
_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)

Observer = Callable[[str, str, str, float], None]


class Response(NamedTuple):
    """A 2xx answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """One API server. Use it as an async context manager, or `close` it."""

    def __init__(
        self,
        *,
        target: Target,
        environ: Mapping[str, str],
        observed: Observer = lambda verb, resource, code, seconds: None,
        agent: str = "smi-adaptor",
        limit: int = 64,
        clock: Callable[[], float] = time.time,
    ) -> None:
        user = target.user
        self._target = target
        self._observed = observed
        self._limit = limit
        self._credentials = Credentials(
            source=source(target, environ=environ, clock=clock), clock=clock
        )
        self._proxy = target.proxy or from_environment(target.server, environ)
        self._headers = CIMultiDict(
            [("User-Agent", f"{agent}/{__version__}"), ("Accept", JSON), *impersonation(user)]
        )
        self._clock = clock
        self._certificate = tls.certificate(user)
        self._reread = clock() + _REREAD
        self._tls = self._context(self._certificate)
        self._tls_of = self._certificate
        self._session: aiohttp.ClientSession | None = None
        self._made: dict[str | None, tuple[Identity, CIMultiDict[str]]] = {}
        self._timeouts: dict[float, aiohttp.ClientTimeout] = {}
        self.permissions = Permissions()

    @classmethod
    def from_kubeconfig(
        cls,
        path: str | None,
        *,
        environ: Mapping[str, str],
        context: str | None = None,
        as_user: str | None = None,
        as_groups: Sequence[str] = (),
        service_account: Path = SERVICE_ACCOUNT,
        observed: Observer = lambda verb, resource, code, seconds: None,
        agent: str = "smi-adaptor",
    ) -> Connection:
        """The cluster kubectl would take: path, $KUBECONFIG, the pod's, ~/.kube/config.

        ``as_user`` and ``as_groups`` are kubectl's --as and --as-group: they take the place of
        what the kubeconfig impersonates. Fatal, in one line, for anything wrong in there.
        """
        target = kubeconfig.find(
            path, context=context, environ=environ, service_account=service_account
        )
        if as_user is not None:
            target = target.impersonating(as_user, as_groups)
        return cls(target=target, environ=environ, observed=observed, agent=agent)

    @property
    def server(self) -> str:
        """The API server's URL."""
        return self._target.server

    @property
    def namespace(self) -> str:
        """The namespace of the kubeconfig's context, or of the pod; else `default`."""
        return self._target.namespace

    async def token(self) -> str | None:
        """The bearer token that requests carry; None with a client certificate or a password."""
        identity = self._credentials.valid() or await self._credentials.current()
        kind, _, token = (identity.authorization or "").partition(" ")
        return token if kind == "Bearer" else None

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str | None = None,
        timeout: float = 30.0,
        verb: str | None = None,
        resource: str = "",
    ) -> Response:
        """Sends one request; ``path`` is already percent-encoded, ``timeout`` in seconds.

        Raises Retryable, Conflict, Expired or Terminal for anything but a 2xx.
        ``verb`` and ``resource`` label the metrics, and what our roles refuse.
        """
        limits = self._timeouts.get(timeout)
        if limits is None:
            limits = self._timeouts[timeout] = aiohttp.ClientTimeout(
                total=timeout, sock_connect=_CONNECT
            )
        if body is not None and content_type is None:
            content_type = JSON
        verb = verb or _VERBS.get(method, method.lower())
        async with self._send(
            method, path, query, body, content_type, limits, verb, resource
        ) as answer:
            try:
                content = await answer.read()
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise self._lost(method, path, error) from error
            return Response(answer.status, answer.headers, content)

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        silence: float = 90.0,
        verb: str = "watch",
        resource: str = "",
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """A GET whose answer is read line by line; entering it means a 200 came.

        No bytes for ``silence`` seconds raise Retryable, as does an end amid a line.
        """
        limits = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT, sock_read=silence)
        async with self._send("GET", path, query, None, None, limits, verb, resource) as answer:
            yield lines(answer.content, lambda error: self._lost("GET", path, error))

    async def websocket(
        self,
        path: str,
        *,
        protocol: str,
        query: Mapping[str, str] | None = None,
        timeout: float = 30.0,
        verb: str = "connect",
        resource: str = "",
    ) -> aiohttp.ClientWebSocketResponse[bool]:
        """Opens a websocket of this subprotocol, within ``timeout`` seconds; close it.

        Credentials, TLS, proxy and errors are those of `request`.
        """
        url = self._url(path, query)
        again = False
        while True:
            identity = self._credentials.valid() or await self._credentials.current()
            started = time.perf_counter()
            code = "error"
            try:
                async with asyncio.timeout(timeout):
                    opened = await self._opened().ws_connect(
                        url,
                        protocols=(protocol,),
                        headers=self._headers_of(identity, None),
                        ssl=self._context_of(identity),
                        server_hostname=self._target.tls_name,
                        proxy=self._proxy,
                        timeout=_WEBSOCKET,
                    )
                code = "101"
                return opened
            except (Retryable, Terminal) as refused:
                code = str(refused.status)
                if code != "401" or again or not await self._credentials.renew(identity):
                    raise
                again = True
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise self._lost("GET", path, error) from error
            finally:
                self._observed(verb, resource, code, time.perf_counter() - started)

    async def close(self) -> None:
        """Ends all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def __aenter__(self) -> Connection:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    @asynccontextmanager
    async def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: bytes | None,
        content_type: str | None,
        limits: aiohttp.ClientTimeout,
        verb: str,
        resource: str,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        url = self._url(path, query)
        for last in (False, True):
            identity = self._credentials.valid() or await self._credentials.current()
            started = time.perf_counter()
            code = "error"
            try:
                answer = await self._opened().request(
                    method,
                    url,
                    headers=self._headers_of(identity, content_type),
                    data=body,
                    timeout=limits,
                    ssl=self._context_of(identity),
                    server_hostname=self._target.tls_name,
                    proxy=self._proxy,
                    allow_redirects=False,
                    raise_for_status=False,
                )
                code = str(answer.status)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise self._lost(method, path, error) from error
            finally:
                self._observed(verb, resource, code, time.perf_counter() - started)
            if 200 <= answer.status < 300:
                self.permissions.granted(verb, resource)
                try:
                    yield answer
                finally:
                    # A body read to its end has given its connection back already; anything
                    # else, such as a watch that we leave, must not be drained first.
                    answer.close()
                return
            failure = await self._failure(method, path, answer, verb, resource)
            if answer.status != 401 or last or not await self._credentials.renew(identity):
                raise failure

    async def _failure(
        self,
        method: str,
        path: str,
        answer: aiohttp.ClientResponse,
        verb: str = "",
        resource: str = "",
    ) -> ReactorError:
        try:
            content = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError):
            content = b""
        finally:
            answer.close()
        said = status.decode(content)
        if answer.status == 403:
            self.permissions.forbidden(verb, resource, said.message)
        return status.failure(method, path, answer.status, answer.headers, said)

    async def _refused(self, answer: aiohttp.ClientResponse) -> None:
        # Asked by aiohttp for websockets alone: of an upgrade that is refused it keeps no body.
        if answer.status != 101:
            raise await self._failure("GET", answer.url.raw_path, answer)

    def _url(self, path: str, query: Mapping[str, str] | None) -> URL:
        asked = "?" + urlencode(query) if query else ""
        return URL(f"{self._target.server}{path}{asked}", encoded=True)

    def _lost(self, method: str, path: str, error: Exception) -> Retryable:
        sent = method != "GET" and not isinstance(error, _NEVER_SENT)
        if isinstance(error, aiohttp.ClientConnectorError):  # its own text shows our TLS context
            what = f"can't connect: {cause(error.os_error)}"
        else:
            what = str(error) or ("timed out" if isinstance(error, TimeoutError) else repr(error))
        return Retryable(f"{method} {self._target.server}{path}: {what}", sent=sent)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._limit, keepalive_timeout=120.0),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("Accept-Encoding", "Content-Type"),
                auto_decompress=True,
                trust_env=False,
                raise_for_status=self._refused,
            )
        return self._session

    def _headers_of(self, identity: Identity, content_type: str | None) -> CIMultiDict[str]:
        made = self._made.get(content_type)
        if made is not None and made[0] is identity:
            return made[1]
        headers = self._headers.copy()
        if identity.authorization:
            headers["Authorization"] = identity.authorization
        if content_type:
            headers["Content-Type"] = content_type
        self._made[content_type] = (identity, headers)
        return headers

    def _context_of(self, identity: Identity) -> ssl.SSLContext:
        # aiohttp keys its pool by context: connections with an old certificate just idle out.
        certificate = identity.certificate or self._rotated()
        if certificate is not self._tls_of and certificate != self._tls_of:
            self._tls_of = certificate
            try:
                self._tls = self._context(certificate)
            except Fatal as error:  # amid a rotation, or a plugin's slip: the next may fit
                log.warning("%s; the one at hand stays in use", error)
        return self._tls

    def _rotated(self) -> tuple[bytes, bytes] | None:
        # Small files, twice a minute: as client-go, we follow those who renew certificates.
        if self._certificate is not None and self._clock() >= self._reread:
            self._reread = self._clock() + _REREAD
            try:
                self._certificate = tls.certificate(self._target.user)
            except Fatal as error:  # amid a rotation, or for good: the server will tell
                log.warning("%s; the one at hand stays in use", error)
        return self._certificate

    def _context(self, certificate: tuple[bytes, bytes] | None) -> ssl.SSLContext:
        target = self._target
        made = tls.context(
            authority=target.authority, verify=target.verify, where=target.cluster.where
        )
        if certificate is not None:
            tls.present(made, certificate, where=target.user.where)
        return made


def cause(error: OSError) -> str:
    """Why nothing could be reached, in the system's words."""
    if isinstance(error, ssl.SSLError | socket.gaierror) or not error.errno:
        return error.strerror or str(error)
    return os.strerror(error.errno)  # asyncio's own text is about its call
