"""How many requests the adaptor sends, counted by the API server."""

from __future__ import annotations

import time

from tests.bench import apiaudit
from tests.bench.apiaudit import ApiAudit
from tests.bench.bed import Bed
from tests.bench.figure import Figure
from tests.bench.setting import Setting

_SPLITS = 1000


def run(setting: Setting) -> list[Figure]:
    """A first sync, a restart, a change of every split, and a time without changes."""
    audit = ApiAudit(setting.directory.with_name(f"{setting.directory.name}-requests"))
    with Bed(
        setting.directory,
        environment=setting.environment,
        splits=_SPLITS,
        apiserver_args=audit.apiserver_args,
    ) as bed:
        bed.sync()
        first = audit.since_last()
        bed.adaptor.start()
        bed.adaptor.settle()
        restart = audit.since_last()
        bed.generation += 1
        bed.expect()
        bed.write("patch splits")
        bed.expected()
        bed.adaptor.settle()
        changed = audit.since_last()
        time.sleep(setting.seconds)
        idle = audit.since_last()
    return [
        Figure.of(
            "requests per new split",
            "",
            [apiaudit.writes(first) / _SPLITS],
            limit=1,
            rule="1, Events aside",
            note=f"first sync: {apiaudit.told(first)}",
        ),
        Figure.of(
            "writes of a restart",
            "",
            [apiaudit.writes(restart)],
            limit=0,
            rule="0 per unchanged split",
            note=f"restart: {apiaudit.told(restart)}",
        ),
        Figure.of(
            "requests per changed split",
            "",
            [apiaudit.beside_watches(changed) / _SPLITS],
            limit=1,
            rule="1, Events aside",
            note=f"{_SPLITS} changes: {apiaudit.told(changed)}",
        ),
        Figure.of(
            f"requests in {setting.seconds:.0f} s without changes",
            "",
            [apiaudit.beside_watches(idle)],
            limit=0,
            rule="none but watches",
            note=f"idle: {apiaudit.told(idle)}",
        ),
    ]
