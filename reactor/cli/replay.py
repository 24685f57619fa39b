"""`linkerd-smi replay`: what was recorded, decided again by today's code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from reactor.cli.audit import given
from reactor.cli.globals import files
from reactor.cli.goflags import GoCommand
from reactor.cli.say import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reactor.audit.query.pages import Span
    from reactor.replay.decisions import Part


@click.command(cls=GoCommand)
@given.source_options
@click.option("-n", "--namespace", metavar="NAME", help="Only what is of this namespace.")
@click.option("--split", metavar="NAME", help="Only decisions that this split won.")
@click.option("--service", metavar="NAME", help="Only this apex Service.")
@click.option("--since", metavar="TIME", help=f"Only from then on: {given.WHEN}.")
@click.option("--until", metavar="TIME", help=f"Only before then: {given.WHEN}.")
@click.option("--run", metavar="ID", help="Only this run of the adaptor.")
@click.option(
    "--into",
    metavar="sandbox|KUBECONFIG",
    shell_complete=files,
    help="Do what was recorded again, in a sandbox with an adaptor of its own, or in a cluster.",
)
@click.option(
    "--speed",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    show_default="as recorded",
    metavar="N",
    help="With --into: so many times as fast.",
)
@click.option("--step", is_flag=True, help="With --into: wait for Enter before each event.")
@click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    show_default="a temporary one",
    help="With --into sandbox: where its kubeconfig and the new audit log go; kept.",
)
@click.option("--yes", is_flag=True, help="With --into KUBECONFIG: yes, change that cluster.")
@click.option(
    "--yes-the-same-cluster",
    "same_cluster",
    is_flag=True,
    help="With --yes: even though it is the one that the log was recorded from.",
)
@click.option(
    "--fail-on-diff", is_flag=True, help="Exit 1 unless all decisions, at least one, are the same."
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    metavar="N",
    help="Processes that share the log.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "yaml", "name"]),
    default="table",
    show_default=True,
    help="How differences are printed; name: as `audit show` takes them.",
)
@click.pass_context
def replay(
    ctx: click.Context,
    namespace: str | None,
    split: str | None,
    service: str | None,
    since: str | None,
    until: str | None,
    run: str | None,
    into: str | None,
    speed: float,
    step: bool,
    directory: Path | None,
    yes: bool,
    same_cluster: bool,
    fail_on_diff: bool,
    jobs: int,
    output: str,
) -> int:
    """Make each recorded decision again with this release, and print what differs.

    \b
      linkerd smi replay --db audit.sqlite --since -7d --fail-on-diff
      linkerd smi replay --db audit.sqlite --into sandbox --speed 10

    Reads the log alone: every `translated` row holds all that its decision depended on. A row that
    can't be replayed, since a document of it is gone for instance, is counted with its reason.

    The log is the adaptor's in the cluster, or the one that --url, --api-addr or --db names. What
    is needed of it is fetched into a temporary file first, unless it is a file.

    With --into the recorded events happen again: changes of splits, changes of profiles by others,
    Services that come and go. A sandbox has an adaptor of its own; in a cluster the one there, if
    any, has the work. At the end the profiles are compared with those recorded. With --split or
    --service all that shares the Service is in it.

    Exit codes: 0 done; 1 not all decisions are the same (with --fail-on-diff), not all profiles
    are as recorded (with --into), or the log can't be read; 2 wrong usage.
    """
    import gc

    from reactor.cli.globals import Globals
    from reactor.cli.logfile import log_file
    from reactor.client.direct import asked
    from reactor.replay import report
    from reactor.replay.jobs import parts

    _together(ctx, into)
    query = {
        "namespace": namespace,
        "split": split,
        "service": service,
        "run": run,
        "since": since,
        "until": until,
    }
    given.in_order(since, until)
    filters = asked({name: text for name, text in query.items() if text is not None})
    where, flags = given.Where.of(ctx), Globals.of(ctx)
    with log_file(where, flags, filters, events=into is not None) as (source, name):
        if into is not None:
            from reactor.cli.reenact import Wish, again

            wish = Wish(into, speed, step, directory, yes, same_cluster, output)
            return again(source, filters, wish, flags)
        gc.disable()  # decoded objects hold no cycles: a tenth of the time for nothing
        span = source.span(filters)
        summary = report.Summary()
        forms = {
            "table": report.text,
            "json": report.json,
            "yaml": report.yaml,
            "name": report.names,
        }
        told = forms[output]
        for line in told(_watched(parts(source, filters, span, jobs=jobs), span), summary):
            click.echo(line)
    if not summary.rows:
        say(f"no decision in {name} passes the filters")
    return int(fail_on_diff and not summary.clean)


def _together(ctx: click.Context, into: str | None) -> None:
    """Fatal for a flag that means nothing beside the others."""
    from reactor.errors import Fatal

    if into == "":
        raise Fatal("--into '': write sandbox, or the path of a kubeconfig", code=2)
    needed = dict.fromkeys(("speed", "step", "yes", "same_cluster"), (into is not None, "--into"))
    needed["directory"] = into == "sandbox", "--into sandbox"
    for param in ctx.command.params:
        there, flag = needed.get(param.name or "", (True, ""))
        if not there and ctx.get_parameter_source(param.name or "") is not ParameterSource.DEFAULT:
            raise Fatal(f"{param.opts[0]} means nothing without {flag}", code=2)
    if not ctx.params["speed"] > 0:
        raise Fatal("--speed nan: write a number above 0", code=2)


def _watched(parts: Iterable[Part], span: Span) -> Iterator[Part]:
    """The parts, with progress for whoever sits at a terminal; what is printed of one has the line
    for itself.
    """
    from reactor.cli.audit.output import progress

    for part in parts:
        progress("")
        yield part
        done = (part.span.high - span.low + 1) / (span.high - span.low + 1)
        progress(f"{done:.0%} of the log")
    progress("")
