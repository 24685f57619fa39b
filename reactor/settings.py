"""One frozen Settings; the only reader of flags and environment."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit, urlunsplit

import msgspec

from reactor import __version__, hostport, units
from reactor.errors import Fatal
from reactor.flags import Flag, FlagSet
from reactor.secret import Secret
from reactor.translate.situation import Orphans

LogLevel = Literal["debug", "info", "warn", "error", "fatal"]
LogFormat = Literal["plain", "json"]
AdminAuth = Literal["token", "none"]

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*", re.ASCII)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a run depends on, checked.

    ``kubeconfig``: a path, or several joined by ':' as kubectl takes them; None: the pod's own
    service account. ``audit_url``: ``sqlite:///relative`` or ``sqlite:////absolute``.
    ``retention_age`` in seconds, ``retention_size`` in bytes. ``archive_url``: None keeps no
    archive. ``pod_namespace``: None outside a pod. ``pod_name``: the holder's name in the Lease.
    """

    kubeconfig: str | None
    metrics_addr: str
    cluster_domain: str
    worker_threads: int
    audit_url: str
    audit_retention_age: float
    audit_retention_size: int
    archive_url: Secret | None
    archive_retention_age: float
    cluster_name: str
    orphans: Orphans
    log_level: LogLevel
    log_format: LogFormat
    admin_auth: AdminAuth
    leader_elect: bool
    pod_namespace: str | None
    pod_name: str

    @classmethod
    def from_command_line(cls, argv: Sequence[str], environ: Mapping[str, str]) -> Settings:
        """Reads ``argv`` (without the program's name) and ``environ``.

        Raises `Fatal` with code 2 in one line, and `reactor.flags.Answer` for help and version.
        """
        given = FLAGS.parse(argv, environ)
        kubeconfig = given.get("kubeconfig") or None
        namespace = environ.get("POD_NAMESPACE") or None
        # A kubeconfig in a pod means somebody's own set-up, a test say: its cluster is not
        # necessarily this pod's.
        in_pod = bool(namespace or environ.get("KUBERNETES_SERVICE_HOST")) and not kubeconfig
        if kubeconfig is None and not in_pod:
            kubeconfig = environ.get("KUBECONFIG") or str(
                Path(environ.get("HOME") or "~").expanduser() / ".kube" / "config"
            )
        address = given.get("metrics-addr", ":9995" if in_pod else "127.0.0.1:9995")
        auth: AdminAuth = given.get("admin-auth") or (
            "token" if in_pod or not _is_loopback(address) else "none"
        )
        if auth == "none" and not _is_loopback(address):
            raise Fatal(
                f"-admin-auth=none would open the audit log to whoever reaches {address}: "
                f"give a loopback address too, -metrics-addr=127.0.0.1:9995, or leave it out",
                code=2,
            )
        leader_elect = given.get("leader-elect", in_pod and namespace is not None)
        if leader_elect and namespace is None:
            raise Fatal(
                "-leader-elect needs the environment variable POD_NAMESPACE: "
                "the Lease lies in that namespace",
                code=2,
            )
        return cls(
            kubeconfig=kubeconfig,
            metrics_addr=address,
            cluster_domain=given.get("cluster-domain", "cluster.local"),
            worker_threads=given.get("worker-threads", 32),
            audit_url=given.get(
                "audit-url",
                "sqlite:////data/audit.sqlite" if in_pod else "sqlite:///smi-adaptor-audit.sqlite",
            ),
            audit_retention_age=given.get("audit-retention-age", units.duration("30d")),
            audit_retention_size=given.get("audit-retention-size", units.size("1GiB")),
            archive_url=given.get("archive-url"),
            archive_retention_age=given.get("archive-retention-age", units.duration("365d")),
            cluster_name=given.get("cluster-name", "default"),
            orphans=given.get("orphans", "delete"),
            log_level=given.get("log-level", "info"),
            log_format=given.get("log-format", "plain"),
            admin_auth=auth,
            leader_elect=leader_elect,
            pod_namespace=namespace,
            pod_name=environ.get("POD_NAME") or environ.get("HOSTNAME") or socket.gethostname(),
        )

    def recorded(self) -> dict[str, str]:
        """What the audit log keeps of a run's settings, by flag."""
        values = msgspec.structs.asdict(self)
        return {flag.name: _shown(values[flag.name.replace("-", "_")]) for flag in FLAGS.flags}


def _shown(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_loopback(address: str) -> bool:
    host = hostport.split(address)[0]
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _path(text: str) -> str:
    return text


def _address(text: str) -> str:
    hostport.split(text)
    return text


def domain(text: str) -> str:
    """``text``; ValueError, which says what to write, unless a cluster can have this domain."""
    if len(text) > 253 or not _DOMAIN.fullmatch(text):
        raise ValueError(
            "write a DNS name such as cluster.local: lower-case letters, digits, '-' and '.'"
        )
    return text


def _threads(text: str) -> int:
    if not re.fullmatch(r"\d{1,6}", text, re.ASCII) or int(text) < 1:
        raise ValueError("write a whole number from 1 on")
    return int(text)


def _audit_url(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "sqlite", "/" + text
    if scheme != "sqlite" or not rest.startswith("/") or rest == "/" or not text:
        raise ValueError("write a path, or sqlite:////data/audit.sqlite; only SQLite is supported")
    return f"sqlite://{rest}"


def _archive_url(text: str) -> Secret:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if (
        host is None
        or parts.scheme not in ("postgresql+asyncpg", "postgresql", "postgres")
        or not parts.path.strip("/")
    ):
        raise ValueError("write postgresql+asyncpg://USER:PASSWORD@HOST:PORT/DATABASE")
    user = f"{parts.username}:...@" if parts.username else ""
    where = f"[{host}]" if ":" in host else host
    return Secret(
        urlunsplit(parts._replace(scheme="postgresql+asyncpg")),
        # What follows a question mark may hold a password too.
        f"postgresql+asyncpg://{user}{where}{f':{port}' if port else ''}{parts.path}",
    )


def _cluster_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", text, re.ASCII):
        raise ValueError("write a name such as eu-1: letters, digits, '.', '_' and '-'")
    return text


def _size(text: str) -> int:
    found = units.size(text)
    if found < 2**20:
        raise ValueError("the audit log needs 1MiB at least")
    return found


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"write one of {', '.join(choices)}")
        return text

    return parse


def _level(text: str) -> str:
    # The words that the Go adaptor took, on manifests out there, for levels that we lack.
    known = {"trace": "debug", "warning": "warn", "panic": "fatal"}.get(text, text)
    return _one_of(*get_args(LogLevel))(known)


_FLAGS: tuple[tuple[str, str, str, str, Callable[[str], Any] | None], ...] = (
    (
        "kubeconfig",
        "PATH",
        "the pod's service account in a pod, else $KUBECONFIG, else ~/.kube/config",
        "The kubeconfig of the cluster.",
        _path,
    ),
    (
        "metrics-addr",
        "HOST:PORT",
        ":9995 in a pod, else 127.0.0.1:9995",
        "Where probes, metrics and the audit API are served.",
        _address,
    ),
    (
        "cluster-domain",
        "DOMAIN",
        "cluster.local",
        "The cluster's DNS domain, with which the names of profiles end.",
        domain,
    ),
    (
        "worker-threads",
        "N",
        "32",
        "How many services are worked on at once, and so how many writes are in flight.",
        _threads,
    ),
    (
        "audit-url",
        "PATH|URL",
        "/data/audit.sqlite in a pod, else ./smi-adaptor-audit.sqlite",
        "The audit log: the path of a SQLite file, or its URL, sqlite:////data/audit.sqlite.",
        _audit_url,
    ),
    (
        "audit-retention-age",
        "DURATION",
        "30d",
        "Older rows of the audit log are removed; 12h, 90m, 30d.",
        units.duration,
    ),
    (
        "audit-retention-size",
        "SIZE",
        "1GiB",
        "The oldest rows are removed when the audit log grows above this; 512MiB, 2G.",
        _size,
    ),
    (
        "archive-url",
        "URL",
        "none: no archive",
        "A PostgreSQL that the audit log is copied to, for all replicas and clusters: "
        "postgresql+asyncpg://USER:PASSWORD@HOST:PORT/DATABASE. Give it by its variable, from a "
        "Secret: it is shown nowhere without its password but in the command line.",
        _archive_url,
    ),
    (
        "archive-retention-age",
        "DURATION",
        "365d",
        "Months of the archive all of whose rows are older are dropped; with several clusters in "
        "it, the longest counts.",
        units.duration,
    ),
    (
        "cluster-name",
        "NAME",
        "default",
        "What this cluster is called in the archive; another name for each cluster there.",
        _cluster_name,
    ),
    (
        "orphans",
        "|".join(get_args(Orphans)),
        "delete",
        "What becomes of a profile whose last split has gone: delete it if only we made it and "
        "nothing else is in it, else clear our overrides; clear: never delete, only clear; "
        "keep: touch nothing.",
        _one_of(*get_args(Orphans)),
    ),
    (
        "log-level",
        "|".join(get_args(LogLevel)),
        "info",
        "The least severe lines that are logged.",
        _level,
    ),
    (
        "log-format",
        "|".join(get_args(LogFormat)),
        "plain",
        "plain: time=... level=... msg=... as the Go adaptor logged; json: one object a line, "
        "with the reconcile id.",
        _one_of(*get_args(LogFormat)),
    ),
    (
        "admin-auth",
        "|".join(get_args(AdminAuth)),
        "none with a loopback address outside a pod, else token",
        "token: all but /ping, /live, /ready and /metrics asks for a bearer token that the "
        "cluster knows; none: nobody is asked, which only a loopback address may do.",
        _one_of(*get_args(AdminAuth)),
    ),
    (
        "leader-elect",
        "",
        "true in a pod that has $POD_NAMESPACE, else false",
        "Write only while holding the Lease smi-adaptor in $POD_NAMESPACE.",
        None,
    ),
)

_SECRET = {"archive-url"}

FLAGS = FlagSet(
    program="smi-adaptor",
    prefix="SMI_ADAPTOR_",
    version=f"smi-adaptor {__version__}",
    flags=[Flag(*row, secret=row[0] in _SECRET) for row in _FLAGS],
)
