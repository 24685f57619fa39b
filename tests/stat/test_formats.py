"""Rows as text."""

from __future__ import annotations

import json

import msgspec

from reactor.stat import formats
from reactor.stat.figures import Figures
from reactor.stat.rows import Row

ROW = Row(
    namespace="ns",
    name="split",
    apex="web",
    leaf="web-v1",
    weight="500m",
    applied="500m",
    state="in-sync",
    reason="",
    figures=Figures(success=0.99996, rps=1234.56, latency={0.5: 0.5, 0.95: 19.5, 0.99: 2500.4}),
)
UNREAD = Row("ns", "a", None, None, None, None, "invalid", "InvalidSplit: no service", None)


def lines(*rows: Row, wide: bool = False, namespaces: bool = False) -> list[str]:
    return formats.table(rows, wide=wide, namespaces=namespaces).split("\n")


def test_figures_are_written_as_linkerd_viz_writes_them() -> None:
    assert lines(ROW) == [
        "NAME    APEX   LEAF     WEIGHT   SUCCESS         RPS   LATENCY_P50   LATENCY_P95"
        "   LATENCY_P99",
        "split   web    web-v1     500m   100.00%   1234.6rps           1ms          20ms"
        "        2500ms",
    ]


def test_what_is_not_known_is_a_dash() -> None:
    header, line = lines(UNREAD, wide=True, namespaces=True)
    assert line.split() == ["ns", "a", *"---", "-", "invalid", *"-----"]
    assert header.split()[:8] == [
        *("NAMESPACE", "NAME", "APEX", "LEAF", "WEIGHT", "APPLIED", "STATE", "SUCCESS")
    ]


def test_a_quantile_may_be_missing_where_there_was_traffic() -> None:
    idle = msgspec.structs.replace(ROW, figures=Figures(1.0, 0.04, {}))
    assert lines(idle)[1].split()[4:] == ["100.00%", "0.0rps", "-", "-", "-"]


def test_json_has_the_keys_of_linkerd_viz_and_what_is_applied() -> None:
    assert json.loads(formats.json([ROW, UNREAD])) == [
        {
            "namespace": "ns",
            "kind": "trafficsplit",
            "name": "split",
            "apex": "web",
            "leaf": "web-v1",
            "weight": "500m",
            "applied": "500m",
            "state": "in-sync",
            "reason": None,
            "success": 0.99996,
            "rps": 1234.56,
            "latency_ms_p50": 1,
            "latency_ms_p95": 20,
            "latency_ms_p99": 2500,
        },
        {
            "namespace": "ns",
            "kind": "trafficsplit",
            "name": "a",
            "apex": None,
            "leaf": None,
            "weight": None,
            "applied": None,
            "state": "invalid",
            "reason": "InvalidSplit: no service",
            "success": None,
            "rps": None,
            "latency_ms_p50": None,
            "latency_ms_p95": None,
            "latency_ms_p99": None,
        },
    ]
    assert formats.json([]) == "[]"
