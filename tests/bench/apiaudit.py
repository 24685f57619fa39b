"""The API server's own audit log: which requests the adaptor really sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tests.cluster.control_plane import ADAPTOR

_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  users: [smi-adaptor]
- level: None
"""
_WRITES = ("create", "update", "patch", "delete", "deletecollection")

Requests = Counter[tuple[str, str]]


class _User(msgspec.Struct):
    username: str


class _Object(msgspec.Struct):
    resource: str = ""


class _Line(msgspec.Struct):
    stage: str
    verb: str
    user: _User
    objectRef: _Object = msgspec.field(default_factory=_Object)


class ApiAudit:
    """Counts by verb and resource; a watch counts when it begins, all others when they end."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._policy = directory / "audit-policy.yaml"
        self._policy.write_text(_POLICY, encoding="utf-8")
        self._log = directory / "apiserver-audit.log"
        self._read = 0

    @property
    def apiserver_args(self) -> tuple[str, ...]:
        """Flags of kube-apiserver."""
        return (f"--audit-policy-file={self._policy}", f"--audit-log-path={self._log}")

    def since_last(self) -> Requests:
        """The adaptor's requests since this was called before."""
        with self._log.open("rb") as log:
            log.seek(self._read)
            found = log.read()
        # The last line may be half written.
        whole = found[: found.rfind(b"\n") + 1]
        self._read += len(whole)
        counts: Requests = Counter()
        decoder = msgspec.json.Decoder(_Line)
        for line in map(decoder.decode, whole.splitlines()):
            if line.user.username != ADAPTOR:
                continue
            if (line.verb == "watch") == (line.stage == "ResponseStarted"):
                counts[line.verb, line.objectRef.resource] += 1
        return counts


def writes(counts: Mapping[tuple[str, str], int]) -> int:
    """Requests that change anything, Events aside."""
    return sum(n for (verb, kind), n in counts.items() if verb in _WRITES and kind != "events")


def beside_watches(counts: Mapping[tuple[str, str], int]) -> int:
    """Requests that are no part of keeping a watch, and write no Event.

    A watch that the server ends is begun anew, with a look at what is served (it has no resource).
    """
    return sum(
        number
        for (verb, kind), number in counts.items()
        if verb != "watch" and kind not in ("events", "")
    )


def told(counts: Mapping[tuple[str, str], int]) -> str:
    """All of them in words."""
    parts = (f"{verb} {kind or 'other'} {n}" for (verb, kind), n in sorted(counts.items()))
    return ", ".join(parts) or "none"
