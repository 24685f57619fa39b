"""`python -m migrations (upgrade|downgrade) PATH [REVISION]`: exit 0, or 1 and one line."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

_USAGE: Final = "usage: python -m migrations (upgrade|downgrade) PATH [REVISION]"


def config(path: Path) -> Config:
    """Alembic's configuration for one file, wherever this package is installed."""
    found = Config()
    found.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    url = URL.create("sqlite", database=str(path.absolute())).render_as_string()
    found.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return found


def main(arguments: list[str]) -> int:
    """Run one command; what went wrong is the last line on stderr."""
    match arguments:
        case ["upgrade", path, *rest] if len(rest) <= 1:
            run, revision = command.upgrade, (rest or ["head"])[0]
        case ["downgrade", path, *rest] if len(rest) <= 1:
            run, revision = command.downgrade, (rest or ["base"])[0]
        case _:
            print(_USAGE, file=sys.stderr)
            return 2
    try:
        run(config(Path(path)), revision)
    except (CommandError, SQLAlchemyError) as error:
        original = getattr(error, "orig", None) or error
        print(" ".join(str(original).split()), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    if len(sys.argv) > 2:
        # SQLite needs files for large tables, and in a pod the log's directory alone is writable.
        os.environ.setdefault("SQLITE_TMPDIR", str(Path(sys.argv[2]).absolute().parent))
    sys.exit(main(sys.argv[1:]))
