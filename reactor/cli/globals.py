"""The global flags, which stand before or after the name of a command."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from reactor.errors import Fatal

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_META = "reactor.cli.globals"
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Globals:
    """What every command is told: which cluster, and as whom.

    ``api_addr`` is HOST:PORT of the adaptor's admin port, when it is not to be looked for in the
    cluster.
    """

    linkerd_namespace: str = "linkerd"
    kubeconfig: str | None = None
    context: str | None = None
    as_user: str | None = None
    as_groups: tuple[str, ...] = ()
    api_addr: str | None = None
    verbose: bool = False

    @classmethod
    def of(cls, ctx: click.Context) -> Globals:
        """What was given with this command; Fatal when it can't be."""
        given = cls(**ctx.meta.get(_META, {}))
        namespace("--linkerd-namespace", given.linkerd_namespace)
        if given.api_addr is not None:
            _reachable("--api-addr", given.api_addr)
        if given.as_groups and not given.as_user:
            raise Fatal("--as-group needs --as: name the user as well", code=2)
        return given


def namespace(flag: str, value: str) -> str:
    """``value``; Fatal unless a namespace can be called so."""
    if not _NAMESPACE.fullmatch(value):
        raise Fatal(
            f"{flag}: {value!r} is no namespace: write 1 to 63 of a-z, 0-9 and, within, '-'", code=2
        )
    return value


def _reachable(flag: str, address: str) -> None:
    """Fatal unless it is an address that can be asked."""
    from reactor import hostport

    try:
        if not all(address.partition(":")):
            raise ValueError("write HOST:PORT, such as 127.0.0.1:9995")
        hostport.split(address)
    except ValueError as error:
        raise Fatal(f"{flag}={address}: {error}", code=2) from error


def cluster_domain(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """``value``; Fatal unless a cluster can have this domain."""
    if value is None:
        return None
    from reactor.settings import domain

    try:
        return domain(value)
    except ValueError as error:
        raise Fatal(f"--cluster-domain: {value!r}: {error}", code=2) from error


def files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """What Tab offers for the path of a file."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def options() -> list[click.Option]:
    """Each goes into the context's meta, so that the last one given wins wherever it stands."""
    return [
        _option(
            ["-L", "--linkerd-namespace", "linkerd_namespace"],
            metavar="NAME",
            help="Namespace of Linkerd's control plane.  [default: linkerd]",
        ),
        _option(
            ["--kubeconfig", "kubeconfig"],
            metavar="FILE",
            shell_complete=files,
            help="Kubeconfig to use.  [default: $KUBECONFIG, the pod's own, ~/.kube/config]",
        ),
        _option(["--context", "context"], metavar="NAME", help="Context of the kubeconfig."),
        _option(["--as", "as_user"], metavar="USER", help="User to impersonate."),
        _option(
            ["--as-group", "as_groups"],
            metavar="GROUP",
            multiple=True,
            help="Group to impersonate; may be given more than once.",
        ),
        _option(
            ["--api-addr", "api_addr"],
            metavar="HOST:PORT",
            help="The adaptor's admin port, instead of a port-forward to its pod.",
        ),
        _option(
            ["--verbose", "verbose"], is_flag=True, help="Say on stderr what is asked, and of whom."
        ),
    ]


def _option(names: list[str], **settings: Any) -> click.Option:
    return click.Option(names, expose_value=False, callback=_keep, **settings)


def _keep(ctx: click.Context, param: click.Parameter, value: object) -> None:
    if value not in (None, (), False):
        ctx.meta.setdefault(_META, {})[param.name] = value
