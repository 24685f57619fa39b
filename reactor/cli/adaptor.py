"""`smi-adaptor`: reads the settings, runs the daemon, and turns every end into one line."""

from __future__ import annotations

import contextlib
import logging
import os
import sys

from reactor import logs
from reactor.errors import Fatal
from reactor.flags import Answer
from reactor.settings import Settings


def main() -> int:
    """The console script: gives the exit code."""
    try:
        settings = Settings.from_command_line(sys.argv[1:], os.environ)
    except Answer as answer:
        print(answer)
        return 0
    except Fatal as error:
        return _end(str(error), error.code)
    logs.configure(settings.log_format, settings.log_level, sys.stderr)
    try:
        # Here and not above: --help, --version and a wrong flag answer without the weight.
        import uvloop

        from reactor import daemon

        uvloop.run(daemon.run(settings))
    except KeyboardInterrupt:
        return 130
    except BaseException as error:
        fatal = _fatal_in(error)
        if fatal is not None:
            return _end(str(fatal), fatal.code)
        if isinstance(error, (SystemExit, GeneratorExit)):
            raise
        logging.getLogger(__name__).debug("unexpected error", exc_info=error)
        hint = "" if settings.log_level == "debug" else "; --log-level=debug shows the traceback"
        return _end(f"unexpected error: {type(error).__name__}: {error}{hint}", 1)
    return 0


def _fatal_in(error: BaseException) -> Fatal | None:
    """The `Fatal` that ended the run, also out of a task group."""
    if isinstance(error, Fatal):
        return error
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(_fatal_in, error.exceptions)), None)
    return None


def _end(message: str, code: int) -> int:
    # A closed stderr is no reason for a second error.
    with contextlib.suppress(OSError, ValueError):
        print(f"smi-adaptor: {' '.join(message.split())}", file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
