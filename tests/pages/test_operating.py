"""docs/operating.md: alerts that Prometheus takes, and a backup that is the log."""

from __future__ import annotations

import asyncio
import re
import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import yaml

from tests import docs
from tests.cluster.prometheus import Prometheus
from tests.unit.audit import logs

PAGE = (docs.ROOT / "docs" / "operating.md").read_text()
TABLES = ("runs", "entries", "documents", "refs")


def manifests() -> list[dict[str, Any]]:
    """Every object that the page shows."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return [one for block in blocks for one in yaml.safe_load_all(block)]


def rules() -> list[dict[str, Any]]:
    (found,) = [one for one in manifests() if one["kind"] == "PrometheusRule"]
    return [rule for group in found["spec"]["groups"] for rule in group["rules"]]


def test_the_alerts_ask_for_metrics_that_there_are() -> None:
    served = set(
        re.findall(r"^\| `(\w+)` \|", (docs.ROOT / "docs" / "metrics.md").read_text(), re.M)
    )
    asked = {name for rule in rules() for name in re.findall(r"smi_adaptor_\w+", rule["expr"])}
    assert asked
    assert asked <= served


def test_a_prometheus_understands_every_alert(prometheus: Prometheus) -> None:
    for rule in rules():
        prometheus.ask(rule["expr"])  # it answers 400, and so this raises, when it can't


async def test_the_backup_of_a_log_that_is_written_is_the_whole_log(tmp_path: Path) -> None:
    (line,) = re.findall(r"^kubectl .* exec .*iterdump.*$", PAGE, re.MULTILINE)
    words = shlex.split(line.partition(" > ")[0])
    program = words[words.index("python") + 2].replace("/data/", f"{tmp_path}/")
    file = tmp_path / "audit.sqlite"
    async with logs.opened(file) as journal:
        for number in range(500):
            journal.append(logs.entry(name=f"web-{number}"))
        await journal.commit()
        dump = [sys.executable, "-c", program]
        dumped = await asyncio.to_thread(
            subprocess.run, dump, capture_output=True, text=True, timeout=60, check=True
        )
        with closing(sqlite3.connect(tmp_path / "copy.sqlite")) as copy:
            copy.executescript(dumped.stdout)
            with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as log:
                for table in TABLES:
                    query = f"SELECT * FROM {table} ORDER BY 1, 2"
                    assert copy.execute(query).fetchall() == log.execute(query).fetchall(), table
                assert log.execute("SELECT count(*) FROM entries").fetchone()[0] >= 500
