"""`linkerd-smi audit tail`: entries as they are written."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

from reactor.cli.audit import given
from reactor.cli.globals import Globals
from reactor.cli.goflags import GoCommand
from reactor.cli.say import say

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from reactor.admin.wire import Entry
    from reactor.client.log import Log

_AGAIN = 1.0
"""Seconds after a connection was lost."""
_RUNS = 8
"""As many replicas as there may be."""
_WIDTHS = (20, 10, 36, 26, 36, 16)
_WIDE_WIDTHS = (27, 10, 36, 36, 11, 26, 36, 45, 40)


@click.command(cls=GoCommand)
@given.source_options
@given.filter_options(times=False)
@given.output_option("table", "wide", "json", "yaml", "name")
@click.pass_context
def tail(ctx: click.Context, output: str) -> int:
    """Follow the log: each entry as it is written, until Ctrl-C.

    \b
      linkerd smi audit tail -n shop --kind synced -o json

    When the connection is lost it is made anew, and goes on behind the last entry: none is missing
    and none comes twice. Where that can't be promised (the entry is gone, another adaptor answers),
    stderr says so. `-o json` is one entry a line.

    Exit codes: 130 ended by Ctrl-C, 1 the log can't be read, 2 wrong usage.
    """
    from reactor.cli.cluster import run

    # The usual end, of which click would print an empty line.
    with contextlib.suppress(KeyboardInterrupt):
        following = _Following(given.filters(ctx), output)
        run(following.ever(given.Where.of(ctx), Globals.of(ctx)))
    return 130


class _Following:
    """Goes on where it was; ``_place`` is RUN.SEQ of the entry that it is behind."""

    def __init__(self, filters: Mapping[str, str], form: str) -> None:
        self._filters = filters
        self._form = form
        self._place: str | None = None
        self._begun = self._following = False

    async def ever(self, where: given.Where, flags: Globals) -> None:
        """Raises ReactorError when it can't begin, or is refused later."""
        import asyncio

        from reactor.cli.audit.opened import opened
        from reactor.errors import Retryable

        while True:
            try:
                async with opened(where, flags) as log:
                    await self._once(log)
            except Retryable as error:
                if not self._begun:
                    raise
                say(f"{error}; trying again")
            if self._following and self._place is None:
                say("nothing had come yet to go on behind, so entries may be missing here")
            self._following = False
            await asyncio.sleep(_AGAIN)

    async def _once(self, log: Log) -> None:
        """Until the connection ends."""
        from contextlib import aclosing

        from reactor.errors import Terminal

        held = self._place
        async with aclosing(self._places(log)) as places:
            async for place in places:
                self._place = place
                try:
                    tail = log.tail(self._filters, place, begun=self._begin)
                    async with aclosing(tail) as entries:
                        async for entry in entries:
                            self._place = f"{entry.run}.{entry.seq}"
                            _print(entry, self._form)
                    return
                except Terminal as error:
                    if error.status != 404 or place is None:
                        raise
                    if place == held:
                        say(f"{error} Entries may be missing here; it goes on with the newest.")

    async def _places(self, log: Log) -> AsyncGenerator[str | None, None]:
        """Where to begin: behind an entry that has a name, so that a connection that is lost
        before the first one came loses nothing.

        The newest entry of an archive may be another adaptor's, which this one can't begin behind.
        One of the runs that go on is its own.
        """
        if self._place is not None:
            yield self._place
        if (newest := await log.newest()) is not None:
            yield newest
            runs = [run for run in await log.runs() if run.ended is None and run.last]
            for run in runs[:_RUNS]:
                if (place := f"{run.id}.{run.last}") != newest:
                    yield place
        yield None

    def _begin(self) -> None:
        """From here on nothing is missed."""
        if not self._begun and self._form in ("table", "wide"):
            _header(self._form)
        self._begun = self._following = True


def _header(form: str) -> None:
    from reactor.cli.audit import entries, output

    if form == "wide":
        output.stream(_WIDE_WIDTHS, entries.WIDE)
    else:
        output.stream(_WIDTHS, entries.HEADER)


def _print(entry: Entry, form: str) -> None:
    import msgspec

    from reactor.cli.audit import entries, output

    if form == "json":
        click.echo(msgspec.json.encode(entry))
    elif form == "yaml":
        click.echo(
            "---\n" + output.as_yaml(msgspec.json.decode(msgspec.json.encode(entry))), nl=False
        )
    elif form == "name":
        click.echo(entries.name(entry))
    else:
        wide = form == "wide"
        output.stream(
            _WIDE_WIDTHS if wide else _WIDTHS, entries.row(entry, wide=wide, lasting=True)
        )
