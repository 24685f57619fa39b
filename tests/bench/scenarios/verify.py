"""The proof of the log: what it finds of a thousand tamperings, and how fast it is."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
import tempfile
import time
from collections import Counter
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from reactor.audit.chain import Anchor, Verdict, verify
from reactor.audit.row import COLUMNS
from tests.bench.biglog import BigLog
from tests.bench.figure import Figure
from tests.bench.setting import Setting
from tests.unit.audit import purged, tamper

_TIMES = 1000
_ROWS = 1_000_000


def run(setting: Setting) -> list[Figure]:
    """Each tampering in a fresh copy of a small log; the speed on a long one."""
    times = _TIMES // 10 if setting.runs == 1 else _TIMES
    setting.directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=setting.directory.parent) as scratch:
        missed, misnamed, kinds = _tampered(Path(scratch), times)
    log = BigLog(folder=setting.logs, rows=min(setting.rows, _ROWS))
    log.make()
    raw, values = [], []
    for _ in range(setting.runs):
        raw.append(_hashed(log.path))
        began = time.monotonic()
        verdict = _proof(log.path)
        values.append(verdict.rows / (time.monotonic() - began))
        if verdict.problem is not None:
            raise RuntimeError(verdict.problem)
    note = f"{times} edits, deletions, additions and swaps of {kinds} kinds, on any column"
    return [
        Figure.of("tamperings that verify misses", "", [missed], limit=0.0, rule="none", note=note),
        Figure.of("tamperings that it misnames", "", [misnamed], limit=0.0, rule="none"),
        Figure.of(
            "verify",
            "rows/s",
            values,
            raw=raw,
            note="raw is a SELECT of all columns, and one SHA-256 a row",
        ),
    ]


def _tampered(folder: Path, times: int) -> tuple[int, int, int]:
    """How many of so many are not found, how many not named; and of how many kinds they are."""
    source, copy = folder / "log.sqlite", folder / "copy.sqlite"
    asyncio.run(purged.write(source))
    tamper.unlocked(source)
    before, known = tamper.contents(source), _proof(source)
    if known.problem is not None or known.anchor is None:
        raise RuntimeError(known.problem)
    seed = missed = misnamed = 0
    done: Counter[str] = Counter()
    while done.total() < times:
        seed += 1
        chance = random.Random(seed)
        operation = tamper.OPERATIONS[seed % len(tamper.OPERATIONS)]
        shutil.copyfile(source, copy)
        if not tamper.tampered(copy, operation, chance):
            continue
        done[operation.name] += 1
        problem = _proof(copy, known.anchor).problem
        if problem is None:
            missed += 1
        elif not any(name in problem for name in tamper.first(before, tamper.contents(copy))):
            misnamed += 1
    return missed, misnamed, len(done)


def _proof(path: Path, *anchors: Anchor) -> Verdict:
    return asyncio.run(verify(str(path), *anchors))


def _hashed(path: Path) -> float:
    began = time.monotonic()
    rows = 0
    with closing(sqlite3.connect(path)) as connection:
        for row in connection.execute(
            f"SELECT {', '.join(COLUMNS)} FROM entries ORDER BY position"
        ):
            sha256(row[12].encode()).digest()
            rows += 1
    return rows / (time.monotonic() - began)
