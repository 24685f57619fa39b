"""`linkerd-smi check`, alone or as a part of `linkerd check`."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from reactor.cli.globals import Globals, namespace
from reactor.cli.goflags import GoCommand
from reactor.cli.say import say
from reactor.cli.waiting import seconds
from reactor.errors import Fatal

if TYPE_CHECKING:
    from reactor.check.formats import Format
    from reactor.check.result import Outcome, Result
    from reactor.kube.connection import Connection

_COLORS = {"success": "green", "warning": "yellow", "error": "red"}


@click.command(
    cls=GoCommand,
    # `linkerd check` passes on whatever flags it knows, whether an extension does or not.
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "short", "json"]),
    default="table",
    show_default=True,
    help="table: every check; short: what is not fine; json: as linkerd check reads it.",
)
@click.option(
    "--wait",
    default="300s",
    show_default=True,
    metavar="DURATION",
    help="How long pods may take to run and be ready, such as 90s or 5m0s.",
)
@click.option(
    "-n",
    "--namespace",
    "wanted",
    metavar="NAME",
    help="Namespace of the extension.  [default: the one labelled linkerd.io/extension=smi]",
)
@click.option("--pre", is_flag=True, hidden=True)
@click.option("--proxy", is_flag=True, hidden=True)
@click.pass_context
def check(
    ctx: click.Context, output: Format, wait: str, wanted: str | None, pre: bool, proxy: bool
) -> int:
    """Check that the extension works, and the splits of the cluster with it.

    Exit code 0: all is well, warnings aside; 1: a check failed.
    """
    given = Globals.of(ctx)
    patience = seconds("--wait", wait)
    # With --proxy, Linkerd's own --namespace is the one whose data plane it checks, not ours.
    asked_for = namespace("--namespace", wanted) if wanted and not proxy else None
    if ctx.args and output != "json":
        say(f"ignored: {' '.join(ctx.args)}")
    from reactor.check.formats import as_json, ending, heading, lines, passed
    from reactor.cli.cluster import run

    def shown(result: Result) -> None:
        if output == "table" or (output == "short" and result.result != "success"):
            if not headed:
                headed.append(True)
                click.echo("\n".join(heading()))
            click.echo("\n".join(lines(result, _painted)))

    headed: list[bool] = []
    results = run(_all(given, asked_for, patience, shown))
    success = passed(results)
    if output == "json":
        click.echo(as_json(results))
    else:
        if headed:
            click.echo()
        click.echo(ending(success, _painted))
    return 0 if success else 1


async def _all(
    given: Globals, asked_for: str | None, wait: float, shown: Callable[[Result], None]
) -> list[Result]:
    from reactor import __version__
    from reactor.check.access import Access
    from reactor.check.patience import Patience
    from reactor.check.pods import ADAPTOR
    from reactor.check.questions import Questions
    from reactor.check.result import Trouble, told
    from reactor.check.sequence import PLACE, results
    from reactor.cli.cluster import connect
    from reactor.install import packed

    def impersonate(user: str, groups: Sequence[str]) -> Connection:
        return connect(dataclasses.replace(given, as_user=user, as_groups=tuple(groups)))

    found: list[Result] = []
    try:
        connection = connect(given)
    except Fatal as error:
        # An answer in the format that was asked for: `linkerd check` reads nothing else.
        found.append(told(PLACE, Trouble(str(error), "`kubectl cluster-info`")))
        shown(found[0])
        return found
    async with connection:
        questions = Questions(
            connection=connection,
            access=Access(
                connection=connection,
                impersonate=None if given.as_user else impersonate,
                # The adaptor's own: those who read its log have a role that is not asked about.
                roles=[
                    one
                    for one in packed.roles()
                    if "rules" in one and one["metadata"]["name"] == ADAPTOR
                ],
            ),
            asked_for=asked_for,
            api_addr=given.api_addr,
            version=__version__,
        )
        async for result in results(questions, Patience(wait=wait, progress=_progress)):
            found.append(result)
            shown(result)
    return found


def _progress(text: str) -> None:
    """What is waited for, on a line that the next text takes; for people only."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns - 1
        print(f"\r\x1b[K{' '.join(text.split())[:width]}", end="", file=sys.stderr, flush=True)


def _painted(mark: str, outcome: Outcome) -> str:
    plain = os.environ.get("NO_COLOR")
    return mark if plain else click.style(mark, fg=_COLORS[outcome], bold=True)
