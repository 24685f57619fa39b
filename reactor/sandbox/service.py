"""From an HTTP request to what goes back: identity, rights, faults, effect, answer."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

from aiohttp import web

from reactor.sandbox import answer, pages, status, tables
from reactor.sandbox.answer import Answer
from reactor.sandbox.calls import Call
from reactor.sandbox.cluster import Cluster
from reactor.sandbox.documents import encode
from reactor.sandbox.faults import Faults
from reactor.sandbox.identity import Tokens, User
from reactor.sandbox.rbac import Access, Authorizer
from reactor.sandbox.request import Request, parse
from reactor.sandbox.resources import Resources, Wish, table_wanted
from reactor.sandbox.reviews import Reviews
from reactor.sandbox.rules import Drop, Hold, Respond
from reactor.sandbox.selectors import selector
from reactor.sandbox.status import StatusError
from reactor.sandbox.storage import Change
from reactor.sandbox.target import Target
from reactor.sandbox.watch import Render, Watch, bookmark_line, error_line

LARGEST_BODY = 3 * 1024 * 1024
_READS = ("get", "list", "watch")


class Service:
    """The handler of all requests."""

    def __init__(
        self,
        *,
        cluster: Cluster,
        tokens: Tokens,
        faults: Faults,
        requests: deque[Call],
        clock: Callable[[], datetime] | None = None,
        bookmark_seconds: float = 60.0,
    ) -> None:
        self._cluster = cluster
        self._tokens = tokens
        self._faults = faults
        self._requests = requests
        self._clock = clock or (lambda: datetime.now(UTC))
        self._bookmark_seconds = bookmark_seconds
        self._authorizer = Authorizer(cluster.storage)
        self._resources = Resources(
            store=cluster.storage,
            registry=cluster.registry,
            objects=cluster.objects,
            reviews=Reviews(tokens=tokens, authorizer=self._authorizer),
            clock=clock,
        )

    async def handle(self, http: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; a fault may tear the connection down instead."""
        request = parse(http.method, http.path, http.query)
        call = Call(
            verb=request.verb,
            group=request.group,
            resource=request.resource,
            namespace=request.namespace,
            name=request.name,
            subresource=request.subresource,
            path=request.path,
            query=dict(request.query),
            agent=http.headers.get("User-Agent", ""),
        )
        self._requests.append(call)
        try:
            body = await http.read() if http.can_read_body else b""
            user = self._user(http)
            call.user = user.name
            await self._early(http, call)
            self._authorizer.check(user, request.access)
            if request.resource and request.verb == "watch":
                return await self._watch(http, request, call)
            found = self._effect(http, request, user, body, call)
        except StatusError as error:
            found = answer.of_error(error)
        except web.HTTPRequestEntityTooLarge:
            found = answer.of_error(status.too_large(LARGEST_BODY))
        rule = self._faults.late(call)
        if isinstance(rule, Hold):
            await rule.pause()
        elif rule is not None:
            if rule.halfway:
                await _send_half(http, found)
            _abort(http)
        call.status = found.status
        return _response(found)

    async def _early(self, http: web.BaseRequest, call: Call) -> None:
        rule = self._faults.early(call)
        if isinstance(rule, Respond):
            raise rule.error
        if isinstance(rule, Drop):
            _abort(http)
        if isinstance(rule, Hold):
            await rule.pause()

    def _effect(
        self, http: web.BaseRequest, request: Request, user: User, body: bytes, call: Call
    ) -> Answer:
        if not request.resource:
            found = pages.page(
                self._cluster.registry, request.path, http.headers.get("Accept", ""), http.host
            )
            if found is None:
                raise status.page_not_found()
            return found
        wish = Wish(
            request=request,
            user=user,
            body=body,
            content_type=http.headers.get("Content-Type", "").split(";")[0].strip(),
            accept=http.headers.get("Accept", ""),
            agent=http.headers.get("User-Agent", ""),
            stale=self._faults.stale_version(call) if request.verb in _READS else None,
        )
        return self._resources.answer(wish)

    def _user(self, http: web.BaseRequest) -> User:
        user = self._tokens.of_header(http.headers.get("Authorization", ""))
        asked = http.headers.get("Impersonate-User")
        if asked is None:
            return user
        self._authorizer.check(user, Access("impersonate", "", "users", name=asked))
        groups = http.headers.getall("Impersonate-Group", [])
        for group in groups:
            self._authorizer.check(user, Access("impersonate", "", "groups", name=group))
        return User(asked, (*groups, "system:authenticated"))

    async def _watch(
        self, http: web.BaseRequest, request: Request, call: Call
    ) -> web.StreamResponse:
        target = self._resources.locate(request)
        query = request.query
        resource = target.resource
        wanted = table_wanted(http.headers.get("Accept", ""))
        watch = Watch(
            resource=resource,
            version=target.version,
            namespace=target.namespace,
            chosen=selector(
                query.get("labelSelector", ""), query.get("fieldSelector", ""), resource
            ),
            faults=self._faults,
            render=self._table_lines(target, request) if wanted == "Table" else None,
        )
        initial = request.flag("sendInitialEvents")
        since = None if initial else _version(query.get("resourceVersion", ""))
        response = web.StreamResponse(headers={"Cache-Control": "no-cache, private"})
        response.content_type = "application/json"
        response.enable_chunked_encoding()
        await response.prepare(http)
        call.status = 200
        table = self._cluster.storage.table(resource.key)
        if not self._cluster.hub.join(watch, since):
            gone = status.expired(f"too old resource version: {since} ({table.forgotten})")
            await response.write(error_line(gone.document))
            await response.write_eof()
            return response
        if initial:
            version = self._cluster.version
            watch.push(bookmark_line(target.api_version, resource.kind, version, first=True))
        seconds = float(query.get("timeoutSeconds") or 0) or random.uniform(1800, 3600)
        api_version = target.api_version

        def bookmark() -> bytes:
            return bookmark_line(api_version, resource.kind, self._cluster.version)

        try:
            await watch.run(
                response.write,
                lambda: _close(http),
                seconds=seconds,
                bookmark=bookmark if request.flag("allowWatchBookmarks") else None,
                every=self._bookmark_seconds,
            )
            await response.write_eof()
        except (ConnectionError, asyncio.CancelledError):
            # The client went away; nobody is left to tell.
            _close(http)
        finally:
            self._cluster.hub.leave(watch)
        return response

    def _table_lines(self, target: Target, request: Request) -> Render:
        include = request.query.get("includeObject", "Metadata")
        headed = True

        def render(change: Change, told: str) -> bytes:
            nonlocal headed
            shown = tables.table(
                target.resource,
                target.version,
                [change.new],
                now=self._clock(),
                metadata={"resourceVersion": str(change.new.version)},
                include=include,
                headed=headed,
            )
            headed = False
            return b'{"type":"%s","object":%s}\n' % (told.encode(), encode(shown))

        return render


def _version(text: str) -> int | None:
    """The version a watch starts from; None for all there is, as events."""
    if text in ("", "0"):
        return None
    try:
        return int(text)
    except ValueError:
        raise StatusError(
            500,
            "",
            f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": '
            "invalid syntax",
        ) from None


def _response(found: Answer) -> web.Response:
    headers = {"Cache-Control": "no-cache, private", **found.headers}
    headers["Content-Type"] = found.content_type
    return web.Response(status=found.status, body=found.body, headers=headers)


async def _send_half(http: web.BaseRequest, found: Answer) -> None:
    response = web.StreamResponse(status=found.status)
    response.content_type = "application/json"
    response.content_length = len(found.body)
    await response.prepare(http)
    await response.write(found.body[: len(found.body) // 2])


def _close(http: web.BaseRequest) -> None:
    if http.transport is not None:
        http.transport.abort()


def _abort(http: web.BaseRequest) -> None:
    _close(http)
    raise ConnectionResetError("torn down by the fault script")
