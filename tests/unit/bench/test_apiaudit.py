from __future__ import annotations

import json
from pathlib import Path

from tests.bench import apiaudit
from tests.bench.apiaudit import ApiAudit


def line(
    verb: str, resource: str, stage: str = "ResponseComplete", user: str = "smi-adaptor"
) -> str:
    found = {"stage": stage, "verb": verb, "user": {"username": user}}
    return json.dumps({**found, "objectRef": {"resource": resource}}) + "\n"


def test_requests_are_counted_once_and_only_those_of_the_adaptor(tmp_path: Path) -> None:
    audit = ApiAudit(tmp_path)
    log = tmp_path / "apiserver-audit.log"
    log.write_text(
        line("watch", "serviceprofiles", "ResponseStarted")
        + line("watch", "serviceprofiles")
        + line("patch", "serviceprofiles")
        + line("create", "events")
        + line("patch", "trafficsplits", user="admin"),
        encoding="utf-8",
    )
    counts = audit.since_last()
    assert counts == {
        ("watch", "serviceprofiles"): 1,
        ("patch", "serviceprofiles"): 1,
        ("create", "events"): 1,
    }
    assert apiaudit.writes(counts) == 1
    assert apiaudit.beside_watches(counts) == 1


def test_beginning_a_watch_anew_is_no_request_of_a_change(tmp_path: Path) -> None:
    audit = ApiAudit(tmp_path)
    log = tmp_path / "apiserver-audit.log"
    discovery = {"stage": "ResponseComplete", "verb": "get", "user": {"username": "smi-adaptor"}}
    log.write_text(
        json.dumps(discovery) + "\n" + line("watch", "trafficsplits", "ResponseStarted"),
        encoding="utf-8",
    )
    assert apiaudit.beside_watches(audit.since_last()) == 0


def test_a_half_written_line_counts_when_it_is_whole(tmp_path: Path) -> None:
    audit = ApiAudit(tmp_path)
    log = tmp_path / "apiserver-audit.log"
    whole = line("get", "services")
    log.write_text(whole[:20], encoding="utf-8")
    assert audit.since_last() == {}
    log.write_text(whole, encoding="utf-8")
    assert audit.since_last() == {("get", "services"): 1}
    assert audit.since_last() == {}
