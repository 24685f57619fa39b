"""Query parameters."""

from __future__ import annotations

import contextlib
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor.admin import filters
from reactor.admin.filters import Question
from reactor.admin.problem import Refused
from reactor.audit.query import Filters
from tests.unit.admin.parts import RUN

NOW = 1_628_075_075_000_000


def test_no_question_asks_for_the_newest_hundred() -> None:
    assert filters.question(b"", now=NOW) == Question(limit=100)


def test_every_filter_is_read() -> None:
    query = {
        "kind": "synced",
        "namespace": "trafficsplit-sample",
        "split": "backend-split",
        "service": "backend-svc",
        "outcome": "patched",
        "finding": "ShadowedBy",
        "actor": "flagger",
        "reconcile": f"{RUN}-1",
        "run": RUN,
        "text": 'weight "can not"',
        "order": "oldest",
        "since": "-2h",
        "until": "2021-08-04T11:04:35Z",
        "limit": "1000",
        "cursor": "v1.<42",
    }
    assert filters.question(urlencode(query).encode(), now=NOW) == Question(
        Filters(
            kind="synced",
            namespace="trafficsplit-sample",
            split="backend-split",
            service="backend-svc",
            outcome="patched",
            finding="ShadowedBy",
            actor="flagger",
            reconcile=f"{RUN}-1",
            run=RUN,
            text='weight "can not"',
            since=NOW - 7_200_000_000,
            until=NOW,
        ),
        order="oldest",
        limit=1000,
        cursor="v1.<42",
    )


@pytest.mark.parametrize(
    ("query", "field", "allowed"),
    [
        (b"kind=split", "kind", "one of observed, translated"),
        (b"kind=", "kind", "one of observed, translated"),
        (b"outcome=OK", "outcome", "one of created, patched"),
        (b"namespace=", "namespace", "1 to 253 visible ASCII characters"),
        (b"split=a%00b", "split", "1 to 253 visible ASCII characters"),
        (b"service=" + b"a" * 254, "service", "1 to 253 visible ASCII characters"),
        (b"since=yesterday", "since", "RFC 3339"),
        (b"until=2021-02-30T00:00:00Z", "until", "relative"),
        (b"limit=0", "limit", "a whole number from 1 to 1000"),
        (b"limit=1001", "limit", "a whole number from 1 to 1000"),
        (b"limit=1.5", "limit", "a whole number from 1 to 1000"),
        ("limit=٣".encode(), "limit", "a whole number from 1 to 1000"),
        (b"text=", "text", 'words, or "phrases in quotes"'),
        (b"text=" + b"a" * 201, "text", "up to 200 characters"),
        (b"order=up", "order", "one of newest, oldest"),
        (b"run=1", "run", "a UUID"),
        (b"finding=%20", "finding", "letters, up to 64"),
        (b"cursor=abc", "cursor", "the value of `next` or `previous`"),
        (b"Kind=synced", "Kind", "one of kind, namespace, split"),
        (b"kind=synced&kind=synced", "kind", "one of observed"),
    ],
)
def test_a_wrong_field_is_named_with_what_is_allowed(
    query: bytes, field: str, allowed: str
) -> None:
    quoted = query.decode().replace("٣", "%D9%A3").encode()
    with pytest.raises(Refused) as caught:
        filters.question(quoted, now=NOW)
    (error,) = caught.value.problem.errors
    assert caught.value.status == 400
    assert error.field == field
    assert error.allowed.startswith(allowed) or allowed in error.allowed
    assert field in caught.value.problem.detail


def test_all_wrong_fields_are_named_at_once() -> None:
    with pytest.raises(Refused) as caught:
        filters.question(b"kind=x&limit=-1&what=1", now=NOW)
    assert [error.field for error in caught.value.problem.errors] == ["kind", "limit", "what"]


@pytest.mark.parametrize("query", [b"kind=%ff", "kind=é".encode(), b"&".join([b"a=b"] * 51)])
def test_a_query_that_is_no_query_is_refused(query: bytes) -> None:
    with pytest.raises(Refused, match="percent-encoded"):
        filters.question(query, now=NOW)


@given(st.binary(max_size=200))
def test_any_query_is_answered_or_refused(query: bytes) -> None:
    with contextlib.suppress(Refused):
        assert 1 <= filters.question(query, now=NOW).limit <= 1000
