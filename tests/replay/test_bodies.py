"""Recorded documents become requests that another cluster takes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reactor.replay.bodies import encode, manifest, merge_patch, without_overrides

RECORDED: dict[str, Any] = {
    "apiVersion": "split.smi-spec.io/v1alpha4",
    "kind": "TrafficSplit",
    "metadata": {
        "name": "s",
        "namespace": "shop",
        "uid": "1",
        "resourceVersion": "7",
        "generation": 2,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "annotations": {"note": "mine"},
        "finalizers": ["example.com/hold"],
        "ownerReferences": [{"uid": "2"}],
    },
    "spec": {"service": "web", "backends": [{"service": "a", "weight": 0.1}]},
    "status": {"seen": True},
}


def test_a_manifest_bears_nothing_that_an_api_server_gave_it() -> None:
    body = json.dumps(RECORDED).encode()
    assert json.loads(encode(manifest(body, "split.smi-spec.io/v1alpha1", "TrafficSplit"))) == {
        "apiVersion": "split.smi-spec.io/v1alpha1",
        "kind": "TrafficSplit",
        "metadata": {"name": "s", "namespace": "shop", "annotations": {"note": "mine"}},
        "spec": {"service": "web", "backends": [{"service": "a", "weight": 0.1}]},
    }


@pytest.mark.parametrize(
    ("before", "after", "patch"),
    [
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1, "b": 2}, {"a": 1}, {"b": None}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3, "c": 2}}, {"a": {"b": 3}}),
        ({"a": [1, 2]}, {"a": [2]}, {"a": [2]}),
        ({"a": 1}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({}, {"a": {}}, {"a": {}}),
    ],
)
def test_a_change_is_sent_as_a_merge_patch(before: Any, after: Any, patch: Any) -> None:
    assert merge_patch(before, after) == patch


def test_overrides_can_be_left_to_the_adaptor() -> None:
    profile = {"spec": {"dstOverrides": [{"authority": "a", "weight": "1"}], "routes": []}}
    assert json.loads(without_overrides(json.dumps(profile).encode())) == {"spec": {"routes": []}}
