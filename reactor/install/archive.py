"""The copy of the audit log in PostgreSQL: where its URL comes from, and whom to trust for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reactor.errors import Fatal
from reactor.install.model import ArchiveCa, ArchiveValues, Retention

Object = dict[str, Any]

_NAME = "archive-ca"
_FOLDER = "/etc/smi-adaptor/archive-ca"


@dataclass(frozen=True, kw_only=True)
class Archive:
    """What of the Deployment comes of it: flags, variables, volumes and their mounts."""

    flags: list[str]
    env: list[Object]
    mounts: list[Object]
    volumes: list[Object]


def archive(values: ArchiveValues) -> Archive | None:
    """None without a Secret; Fatal when the values contradict each other."""
    ca = values.ca or ArchiveCa()
    if ca.existing_config_map and ca.existing_secret:
        raise Fatal(
            "audit.archive.ca: existingConfigMap and existingSecret exclude each other: "
            "give one of them",
            code=2,
        )
    source = _source(ca)
    if not values.existing_secret:
        if source:
            raise Fatal(
                "audit.archive.ca: it is used only with audit.archive.existingSecret, which holds "
                "the URL",
                code=2,
            )
        return None
    retention = values.retention or Retention()
    reference = {"name": values.existing_secret, "key": values.key or "url"}
    # Arguments are for everybody to see, and it holds a password.
    env: list[Object] = [
        {"name": "SMI_ADAPTOR_ARCHIVE_URL", "valueFrom": {"secretKeyRef": reference}}
    ]
    if source:
        # What PostgreSQL's clients go by where the URL says nothing else.
        env += [
            {"name": "PGSSLMODE", "value": "verify-full"},
            {"name": "PGSSLROOTCERT", "value": f"{_FOLDER}/ca.crt"},
        ]
    return Archive(
        flags=[f"-archive-retention-age={retention.age or '365d'}"],
        env=env,
        mounts=[{"name": _NAME, "mountPath": _FOLDER, "readOnly": True}] if source else [],
        volumes=[{"name": _NAME, **source}] if source else [],
    )


def _source(ca: ArchiveCa) -> Object:
    items = [{"key": ca.key or "ca.crt", "path": "ca.crt"}]
    if ca.existing_config_map:
        return {"configMap": {"name": ca.existing_config_map, "items": items}}
    if ca.existing_secret:
        return {"secret": {"secretName": ca.existing_secret, "items": items}}
    return {}
