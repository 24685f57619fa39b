"""A row's place in the chain, as someone keeps it elsewhere."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_ANCHOR: Final = re.compile(r"([0-9a-f-]{36}):([0-9]{1,18}):([0-9a-f]{64})")


class Anchor(NamedTuple):
    """A row's place and hash: what alone shows that a tail was cut off."""

    run: str
    seq: int
    hash: str

    @classmethod
    def parse(cls, text: str) -> Anchor:
        """``RUN:SEQ:HASH`` as `verify` printed it; ValueError for anything else."""
        found = _ANCHOR.fullmatch(text)
        if found is None:
            raise ValueError(f"an anchor is RUN:SEQ:HASH as verify printed it, not {text!r}")
        return cls(found[1], int(found[2]), found[3])

    def __str__(self) -> str:
        return f"{self.run}:{self.seq}:{self.hash}"
