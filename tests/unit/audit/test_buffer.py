"""The buffer: in order, bounded, and every dropped row counted where it was."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from reactor.audit.buffer import Bounds, Buffer, GapDetail
from tests.unit.audit.logs import document, entry


@given(
    steps=st.lists(st.one_of(st.integers(1, 12), st.integers(-12, -1)), max_size=60),
    bounds=st.builds(Bounds, rows=st.integers(1, 10), size=st.integers(1000, 10_000)),
)
def test_every_row_is_either_taken_in_order_or_counted_in_its_gap(
    steps: list[int], bounds: Bounds
) -> None:
    buffer = Buffer(bounds)
    came = dropped = 0
    taken: list[int] = []
    for step in steps:
        for _ in range(step):
            body = document("x" * (came * 37 % 900))
            if not buffer.append(entry(at=came, documents=(body,)), "why"):
                dropped += 1
            came += 1
            assert len(buffer) <= 2 * bounds.rows
            assert buffer.size <= bounds.size
        if step < 0:
            taken += _numbers(buffer, rows=-step, size=2000)
    while buffer:
        taken += _numbers(buffer, rows=3, size=1)
    assert taken == list(range(came))
    assert buffer.size == 0
    assert dropped <= came


def _numbers(buffer: Buffer, rows: int, size: int) -> list[int]:
    numbers: list[int] = []
    found = buffer.take(rows, size, 0)
    assert len(found) <= rows
    for row in found:
        if row.kind == "gap":
            gap = msgspec.json.decode(row.detail, type=GapDetail)
            assert gap.rows == gap.last - gap.first + 1
            assert gap.reason == "why"
            numbers += range(gap.first, gap.last + 1)
        else:
            numbers.append(row.at)
    return numbers
