"""`linkerd-smi`, which Linkerd finds on PATH as `linkerd smi`: a group of lazy commands."""

from __future__ import annotations

import sys

import click

from reactor.cli import streams
from reactor.cli.lazy import LazyGroup
from reactor.cli.say import say, wipe

# Name: where it is, and its line in --help, so that listing commands imports none of them.
_COMMANDS = {
    "audit": ("reactor.cli.audit.group:audit", "Ask the audit log what happened, and who did it."),
    "check": ("reactor.cli.check:check", "Check that the extension works."),
    "completion": (
        "reactor.cli.completion:completion",
        "Print a script for your shell's completion.",
    ),
    "diff": (
        "reactor.cli.diff:diff",
        "Compare the cluster's ServiceProfiles with what its splits, or yours, ask for.",
    ),
    "install": ("reactor.cli.install:install", "Print the objects that make the extension."),
    "replay": (
        "reactor.cli.replay:replay",
        "Make recorded decisions again and print what differs, or re-enact what was recorded.",
    ),
    "sandbox": ("reactor.cli.sandbox:sandbox", "Try it: a small API server and the adaptor."),
    "stat": ("reactor.cli.stat:stat", "Show the traffic of splits, and what is applied of them."),
    "translate": (
        "reactor.cli.translate:translate",
        "Print the ServiceProfiles that splits become, without a cluster.",
    ),
    "uninstall": ("reactor.cli.uninstall:uninstall", "Print what to delete to be rid of it."),
    "version": ("reactor.cli.version:version", "Print the version."),
}
# Linkerd calls the first on every `linkerd-*` on PATH, the chart's Job the second; people need not
# see them.
_HIDDEN = {
    "_extension-metadata": "reactor.cli.version:extension_metadata",
    "_namespace-metadata": "reactor.cli.namespace_metadata:namespace_metadata",
}


@click.group(
    cls=LazyGroup,
    lazy=_COMMANDS,
    hidden=_HIDDEN,
    context_settings={"help_option_names": ["-h", "--help"]},
)
def smi() -> None:
    """Manages the SMI extension of the Linkerd service mesh."""


def main() -> None:
    """The console script: whatever goes wrong is one line on stderr.

    Exit codes: 0 done, 1 it failed or found what it was asked to look for, 2 wrong usage.
    """
    streams.prepare()
    sys.exit(_run(sys.argv[1:]))


def _run(argv: list[str]) -> int:
    from reactor.errors import Fatal, ReactorError

    try:
        ended = smi.main(argv, prog_name="linkerd-smi", standalone_mode=False)
        sys.stdout.flush()
        return ended if isinstance(ended, int) else 0
    except click.exceptions.NoArgsIsHelpError as asked:
        print(asked.format_message(), file=sys.stderr)
        return 2
    except click.ClickException as error:
        return _end(error.format_message(), error.exit_code)
    except ReactorError as error:
        return _end(str(error), error.code if isinstance(error, Fatal) else 1)
    except (click.Abort, KeyboardInterrupt):
        wipe()
        return 130
    except streams.Closed:
        return 141  # as a shell reports one that SIGPIPE ended
    except streams.Unwritable as error:
        return _end(str(error), 1)
    except UnicodeEncodeError as error:
        # What the shell gave is kept as bytes that no text can have.
        return _end(f"{error.object!r} can't be written as {error.encoding}", 2)
    except Exception as error:
        return _end(f"unexpected error: {type(error).__name__}: {error}", 1)


def _end(message: str, code: int) -> int:
    say(" ".join(message.split()))
    return code


if __name__ == "__main__":
    main()
