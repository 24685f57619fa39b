"""A process of its own that writes as fast as the server allows, and watches profiles.

`python -m tests.bench.loader ADMIN_KUBECONFIG ADAPTOR_KUBECONFIG`: commands on standard input,
replies on standard output. Splits and Services are written by the admin, profiles by the very
user that the adaptor is, so that the server treats both alike.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import aiohttp
import msgspec
import uvloop

from tests.bench import workload
from tests.bench.command import Command, Expect, Load, Reply, Sequence, Write
from tests.bench.profilewatch import ProfileWatch
from tests.cluster.kubeconfig import Kubeconfig

_MERGE = {"Content-Type": "application/merge-patch+json"}
_JSON = {"Content-Type": "application/json"}
_SECONDS = 60.0


class Request(NamedTuple):
    """One write, ready to be sent."""

    admin: bool
    method: str
    path: str
    body: bytes | None


class Client:
    """Connections that stay open, one for each request in flight."""

    def __init__(self, session: aiohttp.ClientSession, admin: Kubeconfig, user: Kubeconfig) -> None:
        self._session = session
        self._server = admin.server
        self._ssl = admin.ssl
        self._bearer = [
            {"Authorization": f"Bearer {config.token}", "Accept": "application/json"}
            for config in (user, admin)
        ]

    async def send(self, request: Request) -> None:
        """Raises unless the write was taken."""
        admin, method, path, body = request
        kind = _MERGE if method == "PATCH" else _JSON
        async with self._session.request(
            method,
            self._server + path,
            data=body,
            headers={**self._bearer[admin], **kind},
            ssl=self._ssl,
        ) as answer:
            text = await answer.read()
            if answer.status > 299:
                raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")

    async def send_all(self, requests: list[Request], in_flight: int) -> Reply:
        """From the first request sent to the last answer read."""
        began = time.monotonic()
        waiting = iter(requests)
        async with asyncio.TaskGroup() as group:
            for _ in range(in_flight):
                group.create_task(self._drain(waiting))
        return Reply(began=began, ended=time.monotonic())

    async def _drain(self, requests: Iterator[Request]) -> None:
        for request in requests:
            await self.send(request)


class Loader:
    """Carries out commands, one after the other."""

    def __init__(self, client: Client, watch: ProfileWatch) -> None:
        self._client = client
        self._watch = watch
        self._watching: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Ends the watch."""
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching

    async def obey(self, command: Command) -> Reply:
        """Carries out one command."""
        if self._watching is None and isinstance(command, Expect | Sequence):
            # Not before it is needed: a loader that only writes should do nothing else.
            await self._watch.start()
            self._watching = asyncio.create_task(self._watch.run())
            self._watching.add_done_callback(_complain)
        match command:
            case Write():
                # Encoded beforehand: raw is the server's limit, not that of our encoder.
                return await self._client.send_all(list(requests(command)), command.in_flight)
            case Expect():
                began = time.monotonic()
                ended = await self._watch.expect(
                    range(command.count), command.generation, timeout=command.timeout
                )
                return Reply(began=began, ended=ended)
            case Sequence():
                return await self._sequence(command)
            case Load():
                return await self._load(command)

    async def _sequence(self, command: Sequence) -> Reply:
        seconds = []
        for change in range(command.changes):
            index = change % command.among
            generation = command.generation + change // command.among
            request = _change(command.action, index, generation)
            seen = asyncio.create_task(self._watch.expect([index], generation, timeout=_SECONDS))
            await asyncio.sleep(0)
            began = time.monotonic()
            await self._client.send(request)
            seconds.append(await seen - began)
        return Reply(seconds=tuple(seconds))

    async def _load(self, command: Load) -> Reply:
        began = time.monotonic()
        deadline = began + command.duration
        numbers = itertools.count()
        made = 0

        async def work() -> None:
            nonlocal made
            while (now := time.monotonic()) < deadline:
                number = next(numbers)
                if command.rate and (due := began + number / command.rate) > now:
                    await asyncio.sleep(due - now)
                index = number % command.among
                generation = command.generation + number // command.among
                await self._client.send(_change("patch splits", index, generation))
                made += 1

        async with asyncio.TaskGroup() as group:
            for _ in range(command.in_flight):
                group.create_task(work())
        return Reply(began=began, ended=time.monotonic(), seconds=(float(made),))


def requests(command: Write) -> Iterator[Request]:
    """Every request of one command."""
    action, generation = command.action, command.generation
    if action == "create services":
        for where, leaf in itertools.product(range(workload.NAMESPACES), workload.LEAVES):
            path = workload.services_path(workload.namespace(where))
            yield Request(True, "POST", path, workload.service_body(leaf))
    for index in range(command.count):
        match action:
            case "create services":
                path = workload.services_path(workload.namespace(index))
                yield Request(True, "POST", path, workload.service_body(workload.service(index)))
            case "create splits":
                body = workload.split_body(index, generation)
                yield Request(True, "POST", workload.splits_path(index), body)
            case "delete splits":
                yield Request(True, "DELETE", workload.split_path(index), None)
            case "create profiles":
                body = workload.profile_body(index, generation)
                yield Request(False, "POST", workload.profiles_path(index), body)
            case "delete profiles":
                yield Request(False, "DELETE", workload.profile_path(index), None)
            case "patch splits" | "patch profiles":
                yield _change(action, index, generation)
            case "patch splits and profiles":
                yield _change("patch splits", index, generation)
                yield _change("patch profiles", index, generation)


def _change(action: str, index: int, generation: int) -> Request:
    if action == "patch splits":
        path = workload.split_path(index)
        return Request(True, "PATCH", path, workload.split_patch(generation))
    path = workload.profile_path(index)
    return Request(False, "PATCH", path, workload.profile_patch(index, generation))


@asynccontextmanager
async def _loader(admin: Path, user: Path) -> AsyncIterator[Loader]:
    config = Kubeconfig.read(admin)
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=300)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10.0)
    async with (
        aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
        aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {config.token}"}, timeout=timeout
        ) as watching,
    ):
        watch = ProfileWatch(session=watching, server=config.server, ssl=config.ssl)
        loader = Loader(Client(session, config, Kubeconfig.read(user)), watch)
        try:
            yield loader
        finally:
            await loader.close()


def _complain(task: asyncio.Task[None]) -> None:
    # A watch that failed makes later waits meaningless: better no loader at all.
    if not task.cancelled():
        sys.exit(f"loader: {task.exception()!r}")


async def _serve(admin: Path, user: Path) -> None:
    decoder = msgspec.json.Decoder(Command)
    async with _loader(admin, user) as loader:
        print(msgspec.json.encode(Reply()).decode(), flush=True)
        # A thread reads: the watch goes on while no command is there.
        while line := await asyncio.to_thread(sys.stdin.readline):
            try:
                reply = await loader.obey(decoder.decode(line))
            except* (RuntimeError, TimeoutError, aiohttp.ClientError) as group:
                reply = Reply(error="; ".join(map(str, group.exceptions[:3])))
            print(msgspec.json.encode(reply).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(_serve(Path(sys.argv[1]), Path(sys.argv[2])))
