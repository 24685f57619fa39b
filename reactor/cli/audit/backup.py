"""`linkerd-smi audit backup`: a copy of a log that is being written."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from reactor.cli.globals import Globals, files
from reactor.cli.goflags import GoCommand
from reactor.cli.say import say


@click.command(cls=GoCommand)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option(
    "--db",
    metavar="FILE",
    envvar="LINKERD_SMI_DB",
    shell_complete=files,
    help="The log to copy: an adaptor's SQLite file, which it may write to."
    "  [default: $LINKERD_SMI_DB]",
)
@click.option("--force", is_flag=True, help="Replace FILE when it is there.")
@click.pass_context
def backup(ctx: click.Context, file: Path, db: str | None, force: bool) -> None:
    """Copy the file of a log, all as of one moment, while its adaptor goes on writing.

    The copy is verified before it appears as FILE, or goes to stdout (-). The log of the adaptor in
    the cluster is copied where it lies:

    \b
      kubectl -n linkerd-smi exec deploy/smi-adaptor -c smi-adaptor -- \\
        linkerd-smi audit backup --db /data/audit.sqlite - > audit-backup.sqlite

    A file within reach is copied so:

    \b
      linkerd-smi audit backup --db audit.sqlite copy.sqlite

    Exit codes: 0 copied and verified, 1 it could not be, 2 wrong usage.
    """
    from reactor.cli.audit import output
    from reactor.cli.audit.files import passing, replaced
    from reactor.cli.cluster import run
    from reactor.client.copy import copied
    from reactor.client.local import file as log_file
    from reactor.errors import Fatal
    from reactor.units import counted

    Globals.of(ctx)
    if db is None:
        raise Fatal(
            "--db names the log to copy: no port hands out a file. That of the adaptor in the"
            " cluster is copied where it lies: kubectl -n linkerd-smi"
            " exec deploy/smi-adaptor -c smi-adaptor -- linkerd-smi audit backup"
            " --db /data/audit.sqlite - > FILE",
            code=2,
        )
    if db.startswith(("postgres://", "postgresql:", "postgresql+")):
        raise Fatal(
            "--db names an archive, which its own tools copy, such as pg_dump: docs/archive.md"
            " tells how; this copies a SQLite file",
            code=2,
        )
    source = log_file(db).path
    if str(file) == "-":
        # Beside the log: in a container no other folder may be writable.
        with passing(source) as fresh:
            rows = run(copied(source, fresh, progress=output.progress))
            with fresh.open("rb") as whole:
                while part := whole.read(1 << 20):
                    sys.stdout.buffer.write(part)
            sys.stdout.buffer.flush()
        say(f"copied and verified: {counted(rows, 'row')}")
        return
    if file.exists() and not force:
        raise Fatal(f"{file} is there already: --force replaces it", code=2)
    if file.exists() and file.samefile(source):
        raise Fatal(f"{file} is the log itself: name another file", code=2)
    with replaced(file) as fresh:
        rows = run(copied(source, fresh, progress=output.progress))
    say(f"copied and verified: {counted(rows, 'row')} in {file}")
