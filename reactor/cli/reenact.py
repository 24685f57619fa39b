"""`linkerd-smi replay --into`: recorded events happen again, in a sandbox or a cluster."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import click

from reactor import logs
from reactor.audit.query.filters import Filters
from reactor.cli.audit.output import machine, progress
from reactor.cli.cluster import connect, run
from reactor.cli.globals import Globals
from reactor.client.ticking import ticking
from reactor.errors import Fatal
from reactor.kube.connection import Connection
from reactor.model.meta import Meta
from reactor.model.serviceprofile import Override
from reactor.replay.origin import recorded_here
from reactor.replay.outcome import Apart
from reactor.replay.pace import Asked, Pace, Recorded
from reactor.replay.reenact import Ending, reenact
from reactor.replay.rehearsal import rehearsal
from reactor.replay.report import moment
from reactor.replay.script import Script
from reactor.replay.source import Source
from reactor.replay.stage import Stage
from reactor.replay.step import Step
from reactor.units import counted

SANDBOX = "sandbox"
PATIENCE = 20.0
"""Seconds that the profiles of a cluster may take at the end to be as recorded."""
IN_SANDBOX = 5.0
"""The same where each event was dealt with before the next one."""


@dataclass(frozen=True)
class Wish:
    """How it is to be done. ``into`` is `sandbox`, or the path of a kubeconfig."""

    into: str
    speed: float
    step: bool
    directory: Path | None
    yes: bool
    same_cluster: bool
    output: str


def again(source: Source, filters: Filters, wish: Wish, given: Globals) -> int:
    """Do what was recorded again; the exit code."""
    if wish.output == "name":
        raise Fatal("-o name names no ending: with --into write table, json or yaml", code=2)
    logs.configure("plain", "info" if given.verbose else "error", sys.stderr)
    progress("reading the log")
    script = Script(source, filters)
    progress("")
    if not script:
        raise Fatal("nothing in the log passes the filters, so there is nothing to re-enact")
    ending = run(_again(source, script, wish, given))
    _tell(ending, wish.output)
    return int(bool(ending.apart))


async def _again(source: Source, script: Script, wish: Wish, given: Globals) -> Ending:
    async with _target(source, script, wish, given) as (connection, handled):
        with contextlib.closing(_Prompt()) as prompt:
            return await reenact(
                script,
                await Stage.open(connection),
                pace=_pace(wish, prompt),
                handled=handled,
                told=_told(wish.output),
                patience=IN_SANDBOX if wish.into == SANDBOX else PATIENCE,
                clock=time.monotonic,
            )


@contextlib.asynccontextmanager
async def _target(
    source: Source, script: Script, wish: Wish, given: Globals
) -> AsyncIterator[tuple[Connection, Callable[[Step, Meta | None], Awaitable[None]]]]:
    if wish.into != SANDBOX:
        try:
            found = connect(replace(given, kubeconfig=wish.into))
        except Fatal as error:
            raise Fatal(f"--into {wish.into}: {error}", code=error.code) from error
        async with found as connection:
            await _allowed(connection, source, script, wish)
            yield connection, _unknown
        return
    with contextlib.ExitStack() as stack:
        directory = wish.directory
        if directory is None:
            scratch = tempfile.TemporaryDirectory(prefix="linkerd-smi-replay-")
            directory = Path(stack.enter_context(scratch))
        directory.mkdir(parents=True, exist_ok=True)
        if (directory / "audit.sqlite").exists():
            raise Fatal(f"--dir {directory} holds an audit log already: give a new folder", code=2)
        async with rehearsal(directory, domain=script.domain, settings=script.settings) as played:
            if wish.directory is not None or wish.step:
                click.echo(f"export KUBECONFIG={played.kubeconfig.absolute()}", err=True)
            connection = Connection.from_kubeconfig(str(played.kubeconfig), environ={})
            async with connection:
                yield connection, played.handled


async def _unknown(step: Step, left: Meta | None) -> None:
    """What an adaptor elsewhere is at can't be seen from here."""


async def _allowed(connection: Connection, source: Source, script: Script, wish: Wish) -> None:
    """Fatal unless everything that has to be was said."""
    if not wish.yes:
        raise Fatal(
            f"--into {wish.into} would change splits, profiles and Services of the cluster at"
            f" {connection.server}: add --yes if that is what you want",
            code=2,
        )
    found = await recorded_here(connection, source, domain=script.domain)
    if found is not None and not wish.same_cluster:
        raise Fatal(
            f"{connection.server} is the cluster that the log was recorded from: {found};"
            " add --yes-the-same-cluster if that is what you want"
        )


def _pace(wish: Wish, prompt: _Prompt) -> Pace:
    if wish.step:
        return Asked(prompt.ask)
    return _Announced(Recorded(wish.speed, clock=time.monotonic))


class _Announced:
    """Shows what is waited for, which may take as long as it did when it was recorded."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace

    async def turn(self, step: Step) -> None:
        await ticking(self._pace.turn(step), progress, f"waiting for {step}")


class _Prompt:
    """Asks for each step on the terminal. A read that waits must not hold up Ctrl-C."""

    def __init__(self) -> None:
        self._lines: asyncio.Queue[str] = asyncio.Queue()
        self._reader: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def ask(self, step: Step) -> None:
        """Returns on Enter; Fatal at the end of the input."""
        click.echo(f"Enter: {step} ", err=True, nl=False)
        if self._reader is None:
            self._loop = asyncio.get_running_loop()
            self._reader = threading.Thread(target=self._read, daemon=True)
            self._reader.start()
        if not await self._lines.get():
            click.echo(err=True)
            raise Fatal(f"the input ended before {step} ({step.place})")

    def _read(self) -> None:
        line = "-"
        while line and self._loop is not None:
            line = sys.stdin.readline()
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._lines.put_nowait, line)

    def close(self) -> None:
        """Ask no more."""
        self._loop = None


def _told(output: str) -> Callable[[Step, str], None]:
    """Says each step on stdout, or on stderr when stdout is for the result."""

    def told(step: Step, why: str) -> None:
        line = f"{moment(step.at)}  {step}" + (f": refused: {why}" if why else "")
        click.echo(line, err=output != "table")

    return told


def _tell(ending: Ending, output: str) -> None:
    if output != "table":
        machine(ending, output)
        return
    for one in ending.apart:
        click.echo(f"{one.namespace}/{one.profile}: recorded {_shown(one.recorded, one)}")
        click.echo(f"{' ' * len(one.namespace + one.profile)}   now {_shown(one.now, one)}")
    refused = f", {len(ending.refused)} refused" if ending.refused else ""
    click.echo(
        f"{counted(ending.steps, 'event')} done{refused}; profiles as recorded:"
        f" {ending.profiles - len(ending.apart)} of {ending.profiles}"
    )


def _shown(overrides: tuple[Override, ...] | None, where: Apart) -> str:
    if overrides is None:
        return "gone"
    end = where.profile[where.profile.find(".") :]
    return ",".join(f"{one.authority.removesuffix(end)}={one.weight}" for one in overrides) or "-"
