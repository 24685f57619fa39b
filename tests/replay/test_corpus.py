"""The recorded logs of tests/corpus, decided again by the code as it is now."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reactor.audit.query.filters import Filters
from reactor.replay.jobs import parts
from reactor.replay.report import Summary, text
from reactor.replay.source import LogFile
from tests.corpus import FOLDER, logs
from tests.corpus.scenarios import LOGS

FOUND = logs()


def test_there_is_a_recorded_log_of_every_scenario() -> None:
    assert FOUND, f"no log in {FOLDER}: nothing would be replayed"
    assert {f"{name}.sqlite" for name in LOGS} <= {log.name for log in FOUND}


@pytest.mark.parametrize("log", FOUND, ids=lambda log: str(log.stem))
def test_what_was_recorded_is_decided_the_same_today(log: Path) -> None:
    source = LogFile(log)
    summary = Summary()
    span = source.span(Filters())
    told = "\n".join(text(parts(source, Filters(), span, jobs=1), summary))
    assert summary.clean, f"{log.name}: see tests/corpus/README.md when this is meant\n{told}"


def test_the_logs_hold_every_kind_of_plan_and_many_findings() -> None:
    plans, findings = set(), set()
    for log in FOUND:
        with closing(sqlite3.connect(f"file:{log}?mode=ro", uri=True)) as connection:
            for (detail,) in connection.execute(
                "SELECT detail FROM entries WHERE kind = 'translated'"
            ):
                row = json.loads(detail)
                plans.add(row["plan"]["type"])
                findings |= {found["reason"] for found in row["desired"].get("findings", ())}
    assert plans == {"create", "patch", "delete", "unchanged", "skip", "keep"}
    assert findings >= {
        "AllWeightsZero",
        "CrossNamespace",
        "DuplicateBackend",
        "HeadlessService",
        "InvalidSplit",
        "InvalidWeight",
        "NoBackends",
        "ServiceNotFound",
        "ShadowedBy",
        "UnsupportedMatches",
        "WeightRounded",
        "WeightsScaled",
    }


def test_no_log_names_a_place_of_the_machine_it_was_recorded_on() -> None:
    for log in FOUND:
        body = log.read_bytes()
        assert str(Path.home()).encode() not in body
        assert b"/tmp/" not in body
