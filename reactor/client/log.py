"""An audit log's answers as structs."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, Final, TypeVar

import msgspec

from reactor.admin import wire
from reactor.client.port import Port, Query
from reactor.errors import Fatal, Retryable, Terminal

T = TypeVar("T")

_PAGE: Final = 1000
_CHANGES: Final = 100
_NAMED: Final = re.compile(r"([0-9a-f-]{8,36})[:.]([0-9]{1,18})")


class Found(msgspec.Struct, frozen=True):
    """Entries in the order asked for; ``more``: there are others behind them."""

    entries: list[wire.Entry]
    more: bool


class Log:
    """Asks a port."""

    def __init__(self, port: Port) -> None:
        self._port = port

    async def entries(
        self,
        query: Query,
        *,
        limit: int,
        order: str = "newest",
        progress: Callable[[int], None] = lambda found: None,
    ) -> Found:
        """The first ``limit`` that pass, over as many pages as it takes."""
        found: list[wire.Entry] = []
        cursor: str | None = None
        while True:
            asked = {**query, "order": order, "limit": str(min(limit - len(found), _PAGE))}
            if cursor is not None:
                asked["cursor"] = cursor
            page = await self._get("/api/v1/entries", wire.Page, query=asked)
            found += page.entries
            cursor = page.next
            if cursor is None or len(found) >= limit:
                return Found(found, cursor is not None)
            progress(len(found))

    async def entry(self, name: str) -> wire.Entry:
        """The one that RUN:SEQ or RUN.SEQ names; of RUN, its beginning is enough."""
        match = _NAMED.fullmatch(name)
        if match is None:
            raise Fatal(f"{name!r} names no entry: write RUN:SEQ, as `-o name` shows it", code=2)
        run = match[1] if len(match[1]) == 36 else await self._run(match[1])
        places = {"run": run, "seq": match[2]}
        return await self._get("/api/v1/entries/{run}/{seq}", wire.Entry, places)

    async def document(self, digest: str) -> Any:
        """An object as it was seen; None when retention took it."""
        try:
            return msgspec.json.decode(
                await self._port.get("/api/v1/documents/{digest}", {"digest": digest}, {})
            )
        except Terminal:
            return None

    async def history(self, namespace: str, split: str, *, limit: int) -> wire.History:
        """The last changes of a split."""
        places = {"namespace": namespace, "split": split}
        changes: list[wire.Change] = []
        cursor: str | None = None
        while True:
            query = {"limit": str(min(limit - len(changes), _CHANGES))}
            if cursor is not None:
                query["cursor"] = cursor
            path = "/api/v1/splits/{namespace}/{split}"
            page = await self._get(path, wire.History, places, query)
            changes += page.changes
            cursor = page.next
            if cursor is None or len(changes) >= limit:
                return wire.History(changes, cursor)

    async def standing(self, namespace: str, service: str, at: str | None) -> wire.Standing:
        """The overrides of a service's profile at a moment."""
        return await self._get(
            "/api/v1/profiles/{namespace}/{service}",
            wire.Standing,
            {"namespace": namespace, "service": service},
            {} if at is None else {"at": at},
        )

    async def difference(
        self, namespace: str, service: str, before: str, after: str | None
    ) -> wire.Difference:
        """The same at two moments."""
        return await self._get(
            "/api/v1/profiles/{namespace}/{service}/diff",
            wire.Difference,
            {"namespace": namespace, "service": service},
            {"from": before, **({} if after is None else {"to": after})},
        )

    async def runs(self) -> list[wire.Run]:
        """All of them, the newest first."""
        return (await self._get("/api/v1/runs", wire.Runs)).runs

    async def stats(self) -> wire.Stats:
        """How much there is."""
        return await self._get("/api/v1/stats", wire.Stats)

    async def verify(self, anchor: str | None) -> wire.Verdict:
        """Whether it is as it was written."""
        return _read(await self._port.verify(anchor), wire.Verdict)

    def export(self, query: Query, form: str) -> AsyncGenerator[bytes, None]:
        """All that pass, as text."""
        return self._port.export(query, form)

    async def newest(self) -> str | None:
        """The name of the newest entry."""
        page = await self._get("/api/v1/entries", wire.Page, query={"limit": "1"})
        return f"{page.entries[0].run}.{page.entries[0].seq}" if page.entries else None

    async def tail(
        self, query: Query, after: str | None, *, begun: Callable[[], None]
    ) -> AsyncGenerator[wire.Entry, None]:
        """Entries behind this one as they come, until the connection ends; as `Port.tail`."""
        async with aclosing(self._port.tail(query, after, begun=begun)) as lines:
            async for line in lines:
                yield _read(line, wire.Entry)

    async def _run(self, beginning: str) -> str:
        found = [run.id for run in await self.runs() if run.id.startswith(beginning)]
        if len(found) != 1:
            many = f"{len(found)} runs begin" if found else "no run begins"
            raise Fatal(f"{many} with {beginning}: write more of it, as `-o wide` shows it")
        return found[0]

    async def _get(
        self, path: str, kind: type[T], places: Query | None = None, query: Query | None = None
    ) -> T:
        return _read(await self._port.get(path, places or {}, query or {}), kind)


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise Retryable(
            f"the answer can't be read: {error}; is the adaptor of another version?"
        ) from error
