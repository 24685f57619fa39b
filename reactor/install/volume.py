"""Where the audit log lies: in a claim or in an emptyDir, and whether it fits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from reactor.errors import Fatal
from reactor.install.model import Audit, Persistence, Retention

_MIB = 2**20
_WAL = 64 * _MIB
_UNITS = {
    "": 1,
    "k": 10**3,
    "ki": 2**10,
    "m": 10**6,
    "mi": _MIB,
    "g": 10**9,
    "gi": 2**30,
    "t": 10**12,
    "ti": 2**40,
}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)")


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
    least = _bytes(kept) + _WAL
    if _bytes(size) < least:
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


def _bytes(size: str) -> int:
    """Of a size as flags (1GiB) or Kubernetes (1Gi) write it."""
    match = _SIZE.fullmatch(size.lower())
    assert match is not None, size
    return int(Decimal(match[1]) * _UNITS[match[2].removesuffix("b")])
