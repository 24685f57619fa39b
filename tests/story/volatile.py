"""What no two runs print alike: moments, identities, durations, sizes."""

from __future__ import annotations

import re
from collections import defaultdict

_IDENTITY = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"  # a moment, exactly
    r"|[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}(?:[:./]\d+)?"  # a run
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}:\d+"  # an entry, in short
    r"|\b[0-9a-f]{64}\b"  # a hash
)
_VARYING = (
    (_IDENTITY, "<id>"),
    (re.compile(r"\b[0-9a-f]{12}-[0-9a-f]{1,8}\b"), "<reconcile>"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<fingerprint>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00)?"), "<time>"),
    (re.compile(r"\b\d\d:\d\d:\d\d\b"), "<time>"),
    (re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<uid>"),
    (re.compile(r"\b\d+(?:\.\d+)?(?:ms|s)\b"), "<seconds>"),
    (re.compile(r"\b\d\.\d{3,}(?:e-\d+)?\b|\b\d(?:\.\d+)?e-\d+\b"), "<seconds>"),
    (re.compile(r"\b\d+\.\d MiB"), "<size>"),
    (re.compile(r"(\"?resource_?[vV]ersion\"?: *)\"?'?\d+'?\"?", re.IGNORECASE), r"\1<version>"),
    (re.compile(r"-{3,}"), "---"),
    (re.compile(r"─{3,}"), "─"),
    (re.compile(r"(seq\"?: ?)\d+"), r"\1<seq>"),
    (re.compile(r"/[\w/.-]+/kubeconfig"), "<kubeconfig>"),
    (re.compile(r" +"), " "),
    # The profile may come back through its watch before its write is answered, or after.
    (re.compile(r"smi-adaptor profile modified"), "smi-adaptor profile echo"),
)


def lasting(text: str) -> list[str]:
    """The lines without it."""
    found = [_normal(line) for line in text.strip().splitlines()]
    for number in range(len(found) - 1):
        pair = found[number : number + 2]
        if (
            sum("profile echo" in line for line in pair)
            == sum(" synced " in li for li in pair)
            == 1
        ):
            found[number : number + 2] = sorted(pair)
    return found


def same(before: str, after: str) -> dict[str, str]:
    """What each identity in ``before`` is called in ``after``, by the lines that they share."""
    known: dict[str, list[str]] = defaultdict(list)
    for line in after.splitlines():
        known[_normal(line)].append(line)
    found: dict[str, str] = {}
    for line in before.splitlines():
        if alike := known[_normal(line)]:
            pairs = zip(_IDENTITY.findall(line), _IDENTITY.findall(alike.pop(0)), strict=True)
            for old, new in pairs:
                found.setdefault(old, new)
    return found


def renamed(line: str, names: dict[str, str]) -> str:
    """``line`` with the identities of this run. Raises LookupError for one not in ``names``."""
    return _IDENTITY.sub(lambda match: _called(match[0], names), line)


def _called(identity: str, names: dict[str, str]) -> str:
    # The id of an event has a full stop where an entry's name has a colon.
    shown = re.sub(r"\.(\d{1,5})$", r":\1", identity)
    if shown not in names:
        raise LookupError(f"nothing above shows {identity}")
    found = names[shown]
    return re.sub(r":(?=\d+$)", ".", found) if re.search(r"-\w{12}\.", identity) else found


def _normal(line: str) -> str:
    for pattern, instead in _VARYING:
        line = pattern.sub(instead, line)
    return line.strip()
