"""The adaptor as the contract tests run it: the whole daemon, in the test's event loop."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Self, TypeVar

import aiohttp

from reactor.daemon import Daemon
from reactor.events import Contended, Observed, Synced, Translated
from reactor.settings import Settings
from reactor.translate.decision import Finding
from tests.contract.patience import Patience
from tests.contract.waiting import PATIENCE, until

E = TypeVar("E")
Row = dict[str, Any]
Requests = Counter[tuple[str, str, str]]


class Adaptor:
    """A daemon with a log of its own in ``directory``; starts anew after each `stop`."""

    def __init__(
        self,
        *,
        kubeconfig: Path,
        directory: Path,
        flags: tuple[str, ...] = (),
        namespace: str = "linkerd-smi",
    ) -> None:
        self.log_file = directory / "audit.sqlite"
        self._settings = Settings.from_command_line(
            [
                f"-kubeconfig={kubeconfig}",
                f"-audit-url={self.log_file}",
                "-metrics-addr=127.0.0.1:0",
                *flags,
            ],
            {"POD_NAMESPACE": namespace, "POD_NAME": f"{directory.name}-{id(self):x}"},
        )
        self._daemon: Daemon | None = None
        self._patience: Patience | None = None
        self._seen: list[object] = []
        self._news = asyncio.Event()

    @property
    def daemon(self) -> Daemon:
        """The running daemon."""
        assert self._daemon is not None, "the adaptor was not started"
        return self._daemon

    @property
    def patience(self) -> Patience:
        """The time between two looks at an orphan, which passes only by it."""
        assert self._patience is not None, "the adaptor was not started"
        return self._patience

    async def start(self, *, wait: bool = True) -> Self:
        """Start; with ``wait`` until the workers work."""
        self._daemon = Daemon(self._settings)
        self._patience = Patience(self._daemon.parts.orphans)
        for kind in (Observed, Translated, Synced, Contended):
            self._daemon.bus.subscribe(kind, self._note)
        await self._daemon.start()
        if wait:
            async with asyncio.timeout(PATIENCE):
                await self._daemon.working()
        return self

    async def stop(self) -> None:
        """Stop in order, as SIGTERM does."""
        if self._daemon is not None:
            daemon, self._daemon = self._daemon, None
            await daemon.stop()

    async def _note(self, event: object) -> None:
        self._seen.append(event)
        self._news.set()

    async def event(
        self, kind: type[E], accept: Callable[[E], bool] = lambda _: True, timeout: float = PATIENCE
    ) -> E:
        """The first event of this kind, past or to come, that ``accept`` takes."""
        position = 0
        async with asyncio.timeout(timeout):
            while True:
                while position < len(self._seen):
                    event = self._seen[position]
                    position += 1
                    if isinstance(event, kind) and accept(event):
                        return event
                self._news.clear()
                await self._news.wait()

    async def finding(self, reason: str, split: str) -> Finding:
        """The finding of this reason about a split, as soon as a decision bears it."""

        def bears(found: Translated) -> Finding | None:
            findings = found.decision.desired.findings
            return next((f for f in findings if (f.reason, f.split) == (reason, split)), None)

        found = bears(await self.event(Translated, lambda event: bears(event) is not None))
        assert found is not None
        return found

    async def idle(self, timeout: float = PATIENCE) -> None:
        """Wait until no key waits for a worker or is in the hands of one."""
        queue = self.daemon.parts.queue
        await until(lambda: not (len(queue) or queue.working), timeout)

    def requests(self) -> Requests:
        """What was asked of the API server so far, by verb, resource and status."""
        counted: Requests = Counter()
        for metric in self.daemon.parts.measure.collect():
            for sample in metric.samples:
                if sample.name == "smi_adaptor_api_requests_total":
                    labels = sample.labels
                    key = (labels["verb"], labels["resource"], labels["code"])
                    counted[key] = int(sample.value)
        return counted

    def events(self, kind: type[E]) -> list[E]:
        """All events of this kind so far."""
        return [event for event in self._seen if isinstance(event, kind)]

    def forget_events(self) -> None:
        """`event` looks only at what comes from now on."""
        self._seen.clear()

    async def entries(self, **query: str) -> list[Row]:
        """What the audit API answers, oldest first."""
        await self.daemon.parts.journal.commit()
        url = f"http://127.0.0.1:{self.daemon.port}/api/v1/entries"
        async with (
            aiohttp.ClientSession() as session,
            session.get(url, params=query) as answer,
        ):
            assert answer.status == 200, await answer.text()
            found: list[Row] = (await answer.json())["entries"]
        return found[::-1]

    async def rows(self, **equal: object) -> list[Row]:
        """The log's rows in order, by column values; what was appended before is in them."""
        if self._daemon is not None:
            await self._daemon.parts.journal.commit()
        return await asyncio.to_thread(self._read, equal)

    def _read(self, equal: dict[str, object]) -> list[Row]:
        where = " AND ".join(f"{column} = ?" for column in equal) or "1"
        with closing(sqlite3.connect(f"file:{self.log_file}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            found = connection.execute(
                f"SELECT * FROM entries WHERE {where} ORDER BY run, seq", tuple(equal.values())
            ).fetchall()
        return [{**dict(row), "detail": json.loads(row["detail"])} for row in found]
