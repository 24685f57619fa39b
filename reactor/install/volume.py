"""Where the audit log lies: in a claim or in an emptyDir, and whether it fits."""

from __future__ import annotations

from dataclasses import dataclass

from reactor import units
from reactor.errors import Fatal
from reactor.install.model import Audit, Persistence, Retention

_MIB = 2**20
_WAL = 64 * _MIB


@dataclass(frozen=True, kw_only=True)
class Volume:
    """``claim`` is the PersistentVolumeClaim, None for an emptyDir; ``made`` says it is ours."""

    size: str
    claim: str | None = None
    made: bool = False
    storage_class: str | None = None


def volume(audit: Audit, *, replicas: int) -> Volume:
    """The volume that the values ask for; Fatal when they contradict each other."""
    persistence = audit.persistence or Persistence()
    retention = audit.retention or Retention()
    size = persistence.size or "2Gi"
    kept = retention.size or "1GiB"
    least = units.size(kept) + _WAL
    if units.size(size) < least:
        raise Fatal(
            f"audit.persistence.size: {size} can't hold audit.retention.size, {kept}, and 64Mi of "
            f"write-ahead log: set it to {-(-least // _MIB)}Mi or more",
            code=2,
        )
    if not persistence.enabled:
        if persistence.existing_claim:
            raise Fatal(
                "audit.persistence.existingClaim: it is used only with "
                "audit.persistence.enabled: true",
                code=2,
            )
        return Volume(size=size)
    if replicas > 1:
        raise Fatal(
            f"adaptor.replicas: {replicas} adaptors can't share the volume of one audit log: "
            "set it to 1, or audit.persistence.enabled to false",
            code=2,
        )
    return Volume(
        size=size,
        claim=persistence.existing_claim or "smi-adaptor-audit",
        made=not persistence.existing_claim,
        storage_class=persistence.storage_class or None,
    )
