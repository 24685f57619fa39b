"""What Prometheus is asked."""

from __future__ import annotations

from reactor.stat.query import Asked, batches, latency, requests

SPLIT = Asked("trafficsplit-sample", "backend-split", ("backend-svc", "failing-svc"))


def test_the_responses_of_all_leaves_are_one_query() -> None:
    assert requests([SPLIT], 60.0) == (
        'sum(increase(response_total{direction="outbound", authority=~"'
        r"(backend\\-svc|failing\\-svc)\\.trafficsplit\\-sample\\.svc\\..+"
        '"}[60000ms])) by (dst_namespace, dst_service, classification)'
    )


def test_a_latency_of_all_leaves_is_one_query() -> None:
    splits = [Asked("b", "one", ("web",)), Asked("a", "two", ("web", "db"))]
    assert latency(0.95, splits, 1.5) == (
        'histogram_quantile(0.95, sum(irate(response_latency_ms_bucket{direction="outbound", '
        r'authority=~"(db|web)\\.a\\.svc\\..+|(web)\\.b\\.svc\\..+"}[1500ms]))'
        " by (le, dst_namespace, dst_service))"
    )


def test_many_splits_are_asked_for_a_hundred_services_at_a_time() -> None:
    splits = [Asked("ns", f"split-{n}", (f"apex-{n}", f"leaf-{n}")) for n in range(101)]
    together = batches(splits)
    assert [len(batch) for batch in together] == [50, 50, 1]
    assert [split for batch in together for split in batch] == splits


def test_a_split_stays_in_one_query_however_many_leaves_it_has() -> None:
    large = Asked("ns", "large", tuple(f"leaf-{n}" for n in range(150)))
    small = Asked("ns", "small", ("web",))
    assert batches([small, large, small]) == [[small], [large], [small]]
    assert batches([]) == []
