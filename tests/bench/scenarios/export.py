"""All of a long log as text, from the adaptor that writes it and from its file."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from reactor.audit.index.schema import beside
from tests.bench.adaptor import Adaptor
from tests.bench.bed import Bed
from tests.bench.biglog import BigLog
from tests.bench.figure import Figure
from tests.bench.setting import Setting

_ROWS = 1_000_000
_FORMS = ("ndjson", "csv")
_ROWS_PER_SECOND = 50_000.0
_GROWTH = 64.0
_PART = 1 << 20
_EVER = ("-audit-retention-age=36500d", "-audit-retention-size=1TB")
"""The log's rows are as old as their dates say."""


def run(setting: Setting) -> list[Figure]:
    """Beside a plain SELECT of the same rows, and what the adaptor's memory does meanwhile."""
    log = BigLog(folder=setting.logs, rows=min(setting.rows, _ROWS))
    log.make()
    rates: dict[str, list[float]] = {form: [] for form in _FORMS}
    grown: dict[str, list[float]] = {form: [] for form in _FORMS}
    raw, files = [], []
    with Bed(setting.directory, environment=setting.environment, splits=10) as bed:
        place = bed.adaptor.log
        place.parent.mkdir(parents=True, exist_ok=True)
        for source in (log.path, beside(log.path)):
            shutil.copyfile(source, place.parent / source.name.replace(log.path.name, place.name))
        bed.adaptor.start(flags=_EVER)
        bed.adaptor.settle()
        for _ in range(setting.runs):
            raw.append(_selected(log.path))
            for form in _FORMS:
                with _highest(bed.adaptor) as seen:
                    before = bed.adaptor.resident_mib()
                    rates[form].append(_streamed(f"{bed.adaptor.url}/api/v1/export?format={form}"))
                grown[form].append(max(seen) - before)
            files.append(_written(setting.environment, log.path))
    rule = f"at least {_ROWS_PER_SECOND:.0f} rows/s"
    speeds = {
        **{f"export as {form} by the admin port": rates[form] for form in _FORMS},
        "export as ndjson by the command line, its start included": files,
    }
    return [
        *(
            Figure.of(
                name,
                "rows/s",
                values,
                raw=raw,
                limit=_ROWS_PER_SECOND,
                rule=rule,
                at_least=True,
                note="raw is a plain SELECT of all columns, thrown away",
            )
            for name, values in speeds.items()
        ),
        *(
            Figure.of(
                f"memory's growth while exporting as {form}",
                "MiB",
                grown[form],
                limit=_GROWTH,
                rule=f"{_GROWTH:.0f} MiB",
                note="of the adaptor's process, its highest while exporting over that before",
            )
            for form in _FORMS
        ),
    ]


def _selected(path: Path) -> float:
    began = time.monotonic()
    rows = 0
    with closing(sqlite3.connect(path)) as connection:
        for _ in connection.execute("SELECT * FROM entries ORDER BY position"):
            rows += 1
    return rows / (time.monotonic() - began)


def _streamed(url: str) -> float:
    began = time.monotonic()
    rows, end = -1, b""  # the last line is no row
    with urllib.request.urlopen(url, timeout=60.0) as answer:
        while part := answer.read(_PART):
            rows += part.count(b"\n")
            end = (end + part)[-200:]
    took = time.monotonic() - began
    if b"complete" not in end.splitlines()[-1]:
        raise RuntimeError(f"{url} ended with {end!r}")
    return rows / took


def _written(environment: Path, path: Path) -> float:
    command = [str(environment / "bin" / "linkerd-smi"), "audit", "export", "--db", str(path)]
    began = time.monotonic()
    done = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True
    )
    took = time.monotonic() - began
    return int(done.stderr.rpartition("complete: ")[2].split()[0]) / took


@contextmanager
def _highest(adaptor: Adaptor) -> Iterator[list[float]]:
    """Its resident memory every 20 ms; at least once."""
    seen = [adaptor.resident_mib()]
    enough = threading.Event()

    def look() -> None:
        while not enough.wait(0.02):
            seen.append(adaptor.resident_mib())

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        enough.set()
        watcher.join()
