"""What an entry takes on the disk, with its documents and all indexes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from reactor.audit.index.schema import beside
from tests.bench.bed import Bed
from tests.bench.figure import Figure
from tests.bench.setting import Setting

_SPLITS = 1000
_CHANGES = 5
_LIMIT = 1024.0


def run(setting: Setting) -> list[Figure]:
    """On splits of the guide's kind, each changed some times, as the adaptor wrote it."""
    changes = 1 if setting.runs == 1 else _CHANGES
    with Bed(setting.directory, environment=setting.environment, splits=_SPLITS) as bed:
        bed.expect()
        bed.adaptor.start(forget=True)
        bed.expected()
        for _ in range(changes):
            bed.generation += 1
            bed.expect()
            bed.write("patch splits")
            bed.expected()
        bed.adaptor.settle()
        bed.adaptor.stop()
        parts, entries = _parts(bed.adaptor.log)
        index = beside(bed.adaptor.log).stat().st_size
    parts = {"search index": index, **parts}
    shares = sorted(((size / entries, name) for name, size in parts.items()), reverse=True)
    return [
        Figure.of(
            "bytes on disk per entry",
            "B",
            [sum(share for share, _ in shares)],
            limit=_LIMIT,
            rule=f"{_LIMIT:.0f} bytes",
            note=f"{entries} entries of {_SPLITS} splits: "
            + ", ".join(f"{name} {share:.0f}" for share, name in shares if share >= 1),
        )
    ]


def _parts(path: Path) -> tuple[dict[str, int], int]:
    """Bytes of each table and index, and how many entries there are."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name").fetchall()
        (entries,) = connection.execute("SELECT count(*) FROM entries").fetchone()
    return dict(found), entries
