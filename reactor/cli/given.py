"""The splits and Services among the documents of `-f`, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from reactor.cli.sources import Source
from reactor.model import trafficsplit
from reactor.model.decode import parse_object
from reactor.model.service import ServiceState
from reactor.model.trafficsplit import TrafficSplit
from reactor.sandbox import documents, numbers
from reactor.translate.decision import Finding
from reactor.translate.survey import Judged

Named = tuple[str, str]
"""Namespace and name."""


@dataclass(frozen=True)
class Remark:
    """A finding about one split of the input. ``error``: the split can't be honoured."""

    where: str
    error: bool
    namespace: str
    finding: Finding

    def __str__(self) -> str:
        level = "error" if self.error else "warning"
        name = f"{self.namespace}/{self.finding.split}"
        line = f"{self.where}: {level} {self.finding.reason} {name}: {self.finding.message}"
        return " ".join(line.split())  # a name may hold anything, line ends too


@dataclass
class Given:
    """What was given. ``remarks`` are about documents that make no split."""

    splits: dict[Named, TrafficSplit] = field(default_factory=dict)
    where: dict[Named, str] = field(default_factory=dict)
    services: dict[str, dict[str, ServiceState]] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)
    others: int = 0


def take(sources: Iterable[Source], *, namespace: str, domain: str) -> Given:
    """Sort the documents; ``namespace`` is that of documents that name none."""
    given = Given()
    for source in sources:
        kind, version = source.body["kind"], str(source.body["apiVersion"])
        group, _, number = version.rpartition("/")
        if kind == "Service" and version == "v1":
            _service(given, source, namespace)
        elif kind == "TrafficSplit" and group == trafficsplit.GROUP:
            _split(given, source, namespace, domain, number)
        else:
            given.others += 1
    return given


def remarks(given: Given, judged: Iterable[Judged]) -> list[Remark]:
    """All of them, in the order of the input."""
    found = list(given.remarks)
    for split in given.splits.values():
        if split.problem is not None and split.service is None:
            finding = Finding(split.problem.reason, split.meta.name, split.problem.message)
            found.append(_remark(given, split.meta.namespace, finding))
    for one in judged:
        namespace = one.situation.namespace
        for finding in one.decision.desired.findings:
            if (namespace, finding.split) in given.where:
                found.append(_remark(given, namespace, finding))
    order = {where: number for number, where in enumerate(given.where.values())}
    return sorted(found, key=lambda remark: order.get(remark.where, -1))


def _remark(given: Given, namespace: str, finding: Finding) -> Remark:
    split = given.splits[namespace, finding.split]
    error = split.problem is not None and split.problem.reason == finding.reason
    return Remark(given.where[namespace, finding.split], error, namespace, finding)


def _service(given: Given, source: Source, namespace: str) -> None:
    metadata, spec = source.body.get("metadata"), source.body.get("spec")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or not isinstance(name, str):
        return
    headless = isinstance(spec, dict) and spec.get("clusterIP") == "None"
    services = given.services.setdefault(str(metadata.get("namespace") or namespace), {})
    services[name] = "headless" if headless else "present"


def _split(given: Given, source: Source, namespace: str, domain: str, version: str) -> None:
    found = source.body.get("metadata")
    metadata: dict[str, Any] = found if isinstance(found, dict) else {}
    namespace = str(metadata.get("namespace") or namespace)
    name = metadata.get("name")

    def refuse(reason: str, message: str) -> None:
        finding = Finding(reason, str(name or "(no name)"), message)
        given.remarks.append(Remark(source.where, True, namespace, finding))

    if not isinstance(name, str) or not name:
        refuse("InvalidSplit", "metadata.name: missing, or not a text; expected a name")
        return
    if version not in trafficsplit.VERSIONS:
        known = ", ".join(reversed(trafficsplit.VERSIONS))
        refuse(
            "InvalidSplit", f"apiVersion: {version} is no version of TrafficSplit; write {known}"
        )
        return
    # A file knows no uid; where the split stands tells it from others as well.
    own = {**metadata, "namespace": namespace, "uid": str(metadata.get("uid") or source.where)}
    try:
        # As it would come back from the API server: numbers normalised, then read exactly.
        body = documents.encode(numbers.normalise({**source.body, "metadata": own}))
        split = trafficsplit.decode(parse_object(body), domain=domain)
    except (ValueError, RecursionError) as error:
        refuse("InvalidSplit", f"no API server would take this document: {error}")
        return
    key = namespace, name
    if key in given.where:
        message = f"the split stands at {source.where} again, and the last one counts"
        finding = Finding("GivenTwice", name, message)
        given.remarks.append(Remark(given.where.pop(key), False, namespace, finding))
    given.splits[key] = split
    given.where[key] = source.where
