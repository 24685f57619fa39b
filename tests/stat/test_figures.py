"""From samples to figures."""

from __future__ import annotations

import pytest

from reactor.stat.figures import Figures, Sample, figures

WEB = ("ns", "web")


def sample(value: str, **labels: str) -> Sample:
    return Sample({"dst_namespace": "ns", "dst_service": "web", **labels}, (0.0, value))


def test_success_is_a_share_of_what_was_classified() -> None:
    found = figures(
        [sample("45", classification="success"), sample("15", classification="failure")],
        {0.5: [sample("2.5")]},
        window=60.0,
    )
    assert found == {WEB: Figures(success=0.75, rps=1.0, latency={0.5: 2.5})}


@pytest.mark.parametrize("value", ["0", "NaN", "what"])
def test_a_leaf_without_traffic_has_no_figures(value: str) -> None:
    assert figures([sample(value, classification="success")], {}, window=60.0) == {}


def test_a_latency_that_is_no_number_is_missing() -> None:
    samples = [sample("1", classification="success")]
    found = figures(samples, {0.5: [sample("NaN")], 0.95: [sample("+Inf")], 0.99: []}, window=60.0)
    assert found[WEB].latency == {}


def test_a_latency_alone_is_no_traffic() -> None:
    assert figures([], {0.5: [sample("1")]}, window=60.0) == {}


def test_another_classification_does_not_count() -> None:
    samples = [sample("3", classification="success"), sample("9", classification="unknown")]
    assert figures(samples, {}, window=3.0)[WEB] == Figures(1.0, 1.0, {})
