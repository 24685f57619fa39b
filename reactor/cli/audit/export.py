"""`linkerd-smi audit export`: all entries that pass, as text."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reactor.cli.audit import given
from reactor.cli.globals import Globals
from reactor.cli.goflags import GoCommand
from reactor.cli.say import say

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import IO

_TAIL = 4096


@click.command(cls=GoCommand)
@click.argument(
    "file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True), default="-"
)
@given.source_options
@given.filter_options()
@given.output_option("ndjson", "csv", default="ndjson")
@click.pass_context
def export(ctx: click.Context, file: Path, output: str) -> int:
    """Write all entries that pass the filters, the oldest first, to FILE or stdout.

    \b
      linkerd smi audit export --since -30d -o csv last-month.csv
      linkerd smi audit export --split canary > canary.ndjson

    The last line says whether they are all there: {"export": "complete", "rows": N}, or in CSV
    # complete: N rows. FILE appears, or is replaced, when it is whole.

    Exit codes: 0 complete, 1 truncated (stderr says why) or the log can't be read, 2 wrong usage.
    """
    from reactor.cli.audit.files import replaced
    from reactor.cli.cluster import run

    where, flags, filters = given.Where.of(ctx), Globals.of(ctx), given.filters(ctx)
    if str(file) == "-":
        last = run(_write(where, flags, filters, output, sys.stdout.buffer))
    else:
        with replaced(file) as fresh, fresh.open("wb") as target:
            last = run(_write(where, flags, filters, output, target))
            complete, text = _ending(last, output)
            if complete is None:
                from reactor.errors import Fatal

                raise Fatal(text)
    complete, text = _ending(last, output)
    say(text)
    return 0 if complete else 1


async def _write(
    where: given.Where, flags: Globals, filters: Mapping[str, str], form: str, target: IO[bytes]
) -> bytes:
    """The end of what was written."""
    from contextlib import aclosing

    from reactor.cli.audit import output
    from reactor.cli.audit.opened import opened
    from reactor.units import counted

    size, lines, last = 0, 0, b""
    # On one terminal the two would be in each other's way.
    shown = not (target is sys.stdout.buffer and output.terminal())
    async with opened(where, flags) as log, aclosing(log.export(filters, form)) as parts:
        async for part in parts:
            target.write(part)
            size += len(part)
            lines += part.count(b"\n")
            last = (last + part)[-_TAIL:]
            if shown:
                output.progress(f"{counted(lines, 'line')}, {size / 2**20:.1f} MiB")
    target.flush()
    output.progress("")
    return last


def _ending(last: bytes, form: str) -> tuple[bool | None, str]:
    """Whether all is there (None: not even a last line is), and that in words."""
    import msgspec

    from reactor.units import counted

    line = last.rstrip().rpartition(b"\n")[2]
    if form == "csv":
        if match := re.fullmatch(rb"# complete: (\d+) rows", line):
            return True, f"complete: {counted(int(match[1]), 'row')}"
        if line.startswith(b"# "):
            return False, line[2:].decode(errors="replace")
    else:
        try:
            told = msgspec.json.decode(line)
        except msgspec.MsgspecError:
            told = None
        if isinstance(told, dict) and "export" in told:
            if told["export"] == "complete":
                return True, f"complete: {counted(told.get('rows', 0), 'row')}"
            return False, f"truncated after {told.get('rows')}: {told.get('problem')}"
    return None, "truncated: the log ceased to answer; run it again"
