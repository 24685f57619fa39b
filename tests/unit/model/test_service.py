"""Services: there, with a cluster IP or without."""

from __future__ import annotations

from typing import Any

import pytest

from reactor.model import service


@pytest.mark.parametrize(
    ("spec", "headless"),
    [
        ({"clusterIP": "10.0.0.1"}, False),
        ({"clusterIP": "None"}, True),
        ({"type": "ExternalName"}, False),
        (None, False),
        ([], False),
    ],
)
def test_a_service_without_a_cluster_ip_is_headless(spec: Any, headless: bool) -> None:
    obj = {"metadata": {"namespace": "ns", "name": "web", "uid": "u"}, "spec": spec}
    assert service.decode(obj).headless is headless
