"""How a run of the bench is to be done."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """``environment``: the folder of the virtual environment that is measured.

    ``runs`` of each figure; ``sizes``: numbers of splits; ``calibrations``: rounds to find raw's
    best number of requests in flight; ``seconds``: how long a load or an idle time lasts.
    ``rows`` of a long log, which is kept in the folder ``logs``, and ``questions`` to it: values of
    each filter.
    """

    environment: Path
    directory: Path
    runs: int
    sizes: tuple[int, ...]
    memory_sizes: tuple[int, ...]
    calibrations: int
    changes: int
    seconds: float
    long: bool
    logs: Path
    rows: int
    questions: int
