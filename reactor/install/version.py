"""Versions of Kubernetes, as far as manifests depend on them."""

from __future__ import annotations

import re
from typing import NamedTuple

from reactor.errors import Fatal

_VERSION = re.compile(r"v?(\d{1,9})\.(\d{1,9})(?:\.\d{1,9})?(?:[-+.][0-9A-Za-z.+-]*)?")


class Version(NamedTuple):
    """Major and minor."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


OLDEST = Version(1, 22)
"""The chart's kubeVersion; a test compares."""

ASSUMED = Version(1, 36)
"""What is rendered for when no cluster is asked."""


def parsed(text: str) -> Version:
    """Of `v1.36.3`, `1.30` or `v1.29.4-eks-a1b2`; Fatal when it is none, or too old."""
    match = _VERSION.fullmatch(text)
    if match is None:
        raise Fatal(f"{text!r} is no version of Kubernetes, such as 1.30", code=2)
    found = Version(int(match[1]), int(match[2]))
    if found < OLDEST:
        raise Fatal(f"Kubernetes {found} is too old: {OLDEST} or newer is needed")
    return found
