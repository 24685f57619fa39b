"""`python -m migrations.archive (upgrade|downgrade) [REVISION]`: exit 0, or 1 and one line.

The archive's URL comes in SMI_ADAPTOR_ARCHIVE_URL: arguments are for everybody to see.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from reactor.errors import ReactorError

_USAGE: Final = "usage: python -m migrations.archive (upgrade|downgrade) [REVISION]"
VARIABLE: Final = "SMI_ADAPTOR_ARCHIVE_URL"


def config(url: str) -> Config:
    """Alembic's configuration for one archive, wherever this package is installed."""
    found = Config()
    found.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    found.attributes["url"] = url
    return found


def main(arguments: list[str]) -> int:
    """Run one command; what went wrong is the last line on stderr."""
    url = os.environ.get(VARIABLE, "")
    match arguments:
        case ["upgrade", *rest] if len(rest) <= 1 and url:
            run, revision = command.upgrade, (rest or ["head"])[0]
        case ["downgrade", *rest] if len(rest) <= 1 and url:
            run, revision = command.downgrade, (rest or ["base"])[0]
        case _:
            print(f"{_USAGE}; {VARIABLE} holds the URL", file=sys.stderr)
            return 2
    try:
        run(config(url), revision)
    except (CommandError, SQLAlchemyError, ReactorError) as error:
        original = getattr(error, "orig", None) or error
        print(" ".join(str(original).split()), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
