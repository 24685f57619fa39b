"""Identity and ownership."""

from __future__ import annotations

from typing import Any

import pytest

from reactor.model import meta
from reactor.model.meta import Manager, Meta

EARLY, LATE = "2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z"


def test_managers_tell_who_holds_the_weights() -> None:
    found = meta.decode(
        {
            "metadata": {
                "namespace": "ns",
                "name": "n",
                "uid": "u",
                "resourceVersion": "42",
                "creationTimestamp": EARLY,
                "generation": 3,
                "managedFields": [
                    {
                        "manager": "smi-adaptor",
                        "operation": "Update",
                        "time": EARLY,
                        "fieldsV1": {"f:spec": {".": {}, "f:dstOverrides": {}}},
                    },
                    {"manager": "kubectl", "operation": "Apply", "time": LATE},
                    {
                        "manager": "flagger",
                        "operation": "Update",
                        "time": LATE,
                        "fieldsV1": {"f:spec": {"f:backends": {}}},
                    },
                    "nonsense",
                ],
            }
        }
    )
    assert found.managers == (
        Manager("smi-adaptor", "Update", EARLY, True),
        Manager("kubectl", "Apply", LATE),
        Manager("flagger", "Update", LATE, True),
    )
    assert (found.version, found.generation, found.created) == (42, 3, EARLY)


@pytest.mark.parametrize("version", ["", "x", "12.5", "-1", "9" * 5_000])
def test_a_version_that_is_no_number_compares_as_zero(version: str) -> None:
    assert Meta("ns", "n", "u", version).version == 0


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"metadata": None},
        {"metadata": []},
        {"metadata": {"name": "n", "uid": "u"}},
        {"metadata": {"name": 7, "namespace": "ns", "uid": "u"}},
        {"metadata": {"name": "n", "namespace": "ns", "uid": ""}},
    ],
)
def test_an_object_without_identity_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="metadata"):
        meta.decode(broken)
