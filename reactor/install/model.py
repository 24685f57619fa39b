"""The chart's values, typed; None is a value that is absent, as after `--reuse-values`."""

from __future__ import annotations

from typing import Any

import msgspec

Tree = dict[str, Any]
Amounts = dict[str, str | int | float | None]


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """Absent parts and nulls are the same thing in the chart's templates."""


class Image(_Part, frozen=True):
    """An image, as registry/name:tag."""

    registry: str | None = None
    name: str | None = None
    tag: str | None = None
    pull_policy: str | None = None


class Resources(_Part, frozen=True):
    """What a container asks for, and what it gets at most."""

    requests: Amounts | None = None
    limits: Amounts | None = None


class Adaptor(_Part, frozen=True):
    """The Deployment."""

    image: Image | None = None
    replicas: int | None = None
    run_as_user: int | None = None
    fs_group: int | None = None
    log_level: str | None = None
    log_format: str | None = None
    orphans: str | None = None
    resources: Resources | None = None
    affinity: Tree | None = None
    node_selector: dict[str, str] | None = None
    tolerations: list[Tree] | None = None
    pod_annotations: dict[str, str] | None = None
    pod_labels: dict[str, str] | None = None


class Retention(_Part, frozen=True):
    """How much of the audit log is kept."""

    age: str | None = None
    size: str | None = None


class Persistence(_Part, frozen=True):
    """Where the audit log lies."""

    enabled: bool | None = None
    size: str | None = None
    storage_class: str | None = None
    existing_claim: str | None = None


class ArchiveCa(_Part, frozen=True):
    """Who vouches for the archive."""

    existing_config_map: str | None = None
    existing_secret: str | None = None
    key: str | None = None


class ArchiveValues(_Part, frozen=True):
    """The copy of the audit log in PostgreSQL."""

    existing_secret: str | None = None
    key: str | None = None
    retention: Retention | None = None
    ca: ArchiveCa | None = None


class Reader(_Part, frozen=True):
    """Somebody who may read the audit log."""

    kind: str
    name: str
    namespace: str | None = None


class Audit(_Part, frozen=True):
    """The audit log."""

    retention: Retention | None = None
    persistence: Persistence | None = None
    archive: ArchiveValues | None = None
    readers: list[Reader] | None = None


class PodMonitor(_Part, frozen=True):
    """What the Prometheus Operator is told."""

    enabled: bool | None = None
    interval: str | None = None
    labels: dict[str, str] | None = None


class GrafanaDashboard(_Part, frozen=True):
    """What Grafana's sidecar finds."""

    enabled: bool | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class NetworkPolicy(_Part, frozen=True):
    """Who may reach the pods; `from` is a word of Python's."""

    enabled: bool | None = None
    sources: list[Tree] | None = msgspec.field(name="from", default=None)
    api_server_ports: list[int] | None = None
    archive_ports: list[int] | None = None
    archive_to: list[Tree] | None = None


class Values(_Part, frozen=True):
    """All of them, but for `namespaceMetadata`: the CLI renders the Namespace itself."""

    cluster_domain: str | None = None
    cluster_name: str | None = None
    linkerd_namespace: str | None = None
    image_pull_secrets: list[Tree] | None = None
    priority_class_name: str | None = None
    adaptor: Adaptor | None = None
    audit: Audit | None = None
    pod_monitor: PodMonitor | None = None
    grafana_dashboard: GrafanaDashboard | None = None
    network_policy: NetworkPolicy | None = None
