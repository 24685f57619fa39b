"""The flags that the commands share: which log, which entries, in what form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from reactor.cli.globals import Globals, files

_META = "reactor.cli.audit"
_ARCHIVES = ("postgresql://", "postgres://", "postgresql+asyncpg://")

WHEN = "2026-11-23T11:25:48Z, or so long ago: -90s, -30m, -2h, -7d"
"""The forms of a TIME."""

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Where:
    """Which log: a file or an archive, a URL, or (both None) the adaptor's in the cluster."""

    db: str | None = None
    url: str | None = None
    token: str | None = None
    cluster: str = "default"

    @property
    def archived(self) -> bool:
        """Whether it is an archive."""
        return self.db is not None and self.db.startswith(_ARCHIVES)

    @classmethod
    def of(cls, ctx: click.Context) -> Where:
        """What was given with this command."""
        from reactor.errors import Fatal

        found = cls(**ctx.meta.get(f"{_META}.where", {}))
        address = Globals.of(ctx).api_addr
        named = {"--db": found.db, "--url": found.url, "--api-addr": address}
        both = [name for name, value in named.items() if value is not None][:2]
        if len(both) == 2:
            unset = ""
            if ctx.get_parameter_source("db") is ParameterSource.ENVIRONMENT:
                both[0] = "LINKERD_SMI_DB"
                unset = "; unset the variable, or leave out the flag"
            raise Fatal(
                f"{both[0]} and {both[1]} exclude each other: each names a log{unset}", code=2
            )
        if "cluster" in ctx.meta.get(f"{_META}.where", {}) and not found.archived:
            raise Fatal(
                "--cluster-name tells whose rows of an archive: name one by --db postgresql://...",
                code=2,
            )
        return found


def filters(ctx: click.Context) -> dict[str, str]:
    """The filters that were given, by the name of the API's parameter."""
    found = dict(ctx.meta.get(f"{_META}.filters", {}))
    in_order(found.get("since"), found.get("until"))
    return found


def in_order(since: str | None, until: str | None) -> None:
    """Fatal when nothing can be between the two. What is no time, whoever is asked tells."""
    import time

    from reactor.admin import moment
    from reactor.errors import Fatal

    if since is None or until is None:
        return
    now = time.time_ns() // 1000
    try:
        nothing = moment.parse(since, now=now) >= moment.parse(until, now=now)
    except ValueError:
        return
    if nothing:
        raise Fatal(
            f"nothing is from --since {since} on and before --until {until}: the first is to be"
            " the earlier one",
            code=2,
        )


def source_options(command: Command) -> Command:
    """--db, --url and --token."""
    for option in reversed(
        (
            _kept(
                "where",
                "--db",
                metavar="FILE|URL",
                envvar="LINKERD_SMI_DB",
                shell_complete=files,
                help="Read this: an adaptor's SQLite file, or postgresql://..., its archive."
                "  [default: $LINKERD_SMI_DB]",
            ),
            _kept(
                "where",
                "--cluster-name",
                "cluster",
                metavar="NAME",
                help="Whose rows of the archive; `audit stats` tells whose there are."
                "  [default: default]",
            ),
            _kept(
                "where",
                "--url",
                metavar="URL",
                help="Ask this admin port, such as http://127.0.0.1:9995.",
            ),
            _kept(
                "where",
                "--token",
                metavar="TOKEN",
                envvar="LINKERD_SMI_TOKEN",
                help="Bearer token for the adaptor.  [default: $LINKERD_SMI_TOKEN, the"
                " kubeconfig's]",
            ),
        )
    ):
        command = option(command)
    return command


def filter_options(*, times: bool = True) -> Callable[[Command], Command]:
    """What an entry has to be; all filters together."""
    found = [
        _filter("-n", "--namespace", metavar="NAME", help="Of this namespace."),
        _filter("--split", metavar="NAME", help="Of this TrafficSplit."),
        _filter("--service", metavar="NAME", help="Of this apex Service."),
        _filter(
            "--kind",
            metavar="KIND",
            help="observed, translated, synced, gap, purged, started or stopped.",
            shell_complete=_kinds,
        ),
        _filter(
            "--outcome",
            metavar="OUTCOME",
            help="How it ended: created, patched, deleted, unchanged, skipped, invalid, conflict,"
            " failed or interrupted.",
            shell_complete=_outcomes,
        ),
        _filter("--finding", metavar="REASON", help="With this finding, such as ShadowedBy."),
        _filter("--actor", metavar="NAME", help="Of this field manager."),
        _filter("--reconcile", metavar="ID", help="Of this reconciliation."),
        _filter("--run", metavar="ID", help="Of this run of the adaptor."),
        _filter("--text", metavar="WORDS", help='With these words or "phrases" in a message.'),
    ]
    if times:
        found += [
            _filter("--since", metavar="TIME", help=f"From then on: {WHEN}."),
            _filter("--until", metavar="TIME", help=f"Before then: {WHEN}."),
        ]

    def decorate(command: Command) -> Command:
        for option in reversed(found):
            command = option(command)
        return command

    return decorate


def output_option(*forms: str, default: str = "table") -> Callable[[Command], Command]:
    """-o."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(forms),
        default=default,
        show_default=True,
        help="How it is printed.",
    )


def _kinds(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from reactor.admin.filters import KINDS

    return [kind for kind in KINDS if kind.startswith(incomplete)]


def _outcomes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from reactor.admin.filters import OUTCOMES

    return [outcome for outcome in OUTCOMES if outcome.startswith(incomplete)]


def pair(text: str, what: str) -> tuple[str, str]:
    """NAMESPACE/NAME; Fatal for anything else."""
    from reactor.errors import Fatal

    namespace, slash, name = text.partition("/")
    if not slash or not namespace or not name or "/" in name:
        raise Fatal(f"{text!r} names no {what}: write NAMESPACE/{what.upper()}", code=2)
    return namespace, name


def _kept(group: str, *names: str, **settings: Any) -> Callable[[Command], Command]:
    def keep(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
        if value is not None:
            ctx.meta.setdefault(f"{_META}.{group}", {})[param.name] = value

    return click.option(*names, expose_value=False, callback=keep, **settings)


def _filter(*names: str, **settings: Any) -> Callable[[Command], Command]:
    return _kept("filters", *names, **settings)
