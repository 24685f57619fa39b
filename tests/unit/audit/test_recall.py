"""What a start learns from the log of earlier runs."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.unit.audit.logs import crash, document, entry, journal, opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.sqlite"


def _observed(kind: str = "modified") -> bytes:
    return msgspec.json.encode({"type": kind})


async def test_the_last_observation_of_each_object_is_recalled(path: Path) -> None:
    async with opened(path) as log:
        for version in ("1", "2"):
            for namespace in ("a", "b"):
                for name in ("x", "y"):
                    fields = {
                        "namespace": namespace,
                        "resource_version": version,
                        "detail": _observed(),
                    }
                    split = document(f"split {namespace} {name} {version}")
                    log.append(entry("observed", "web", split=name, documents=(split,), **fields))
                    profile = document(f"profile {namespace} {name} {version}")
                    log.append(entry("observed", name, documents=(profile,), **fields))
        log.append(
            entry(
                "observed",
                "web",
                split="z",
                namespace="a",
                service=None,
                detail=_observed("deleted"),
                documents=(document("gone"),),
            )
        )
    async with opened(path) as log:
        found = await log.recall()
    assert found.known
    assert [
        (row.namespace, row.split, row.service, row.resource_version) for row in found.observed
    ] == [
        ("a", "x", "web", "2"),
        ("a", None, "x", "2"),
        ("a", "y", "web", "2"),
        ("a", None, "y", "2"),
        ("b", "x", "web", "2"),
        ("b", None, "x", "2"),
        ("b", "y", "web", "2"),
        ("b", None, "y", "2"),
        ("a", "z", None, None),
    ]
    assert set(found.documents.values()) == {
        document(f"{kind} {namespace} {name} 2").body
        for kind in ("split", "profile")
        for namespace in ("a", "b")
        for name in ("x", "y")
    }


async def test_the_last_decision_of_each_service_is_recalled(path: Path) -> None:
    async with opened(path) as log:
        for reconcile in ("r1", "r2"):
            for name in ("web", "api"):
                log.append(entry(name=name, split="s", reconcile=f"{reconcile} {name}"))
                log.append(
                    entry("synced", name, outcome="patched", reconcile=f"{reconcile} {name}")
                )
        log.append(entry("observed", "web", detail=_observed()))
    async with opened(path) as log:
        log.append(entry(name="api", namespace="other", reconcile="r3"))
        assert await log.commit()
        found = await log.recall()
    assert [row.reconcile for row in found.translated] == ["r2 web", "r2 api", "r3"]
    assert found.open == ()


async def test_what_a_crash_left_open_is_recalled_with_its_documents(path: Path) -> None:
    dying = journal(path)
    await dying.open()
    for name in ("a", "b", "c"):
        dying.append(entry(name=name, reconcile=name, documents=(document(name),)))
    dying.append(entry("synced", "b", outcome="patched", reconcile="b"))
    assert await dying.commit()
    await crash(dying)
    async with opened(path) as log:
        found = await log.recall()
        assert [row.reconcile for row in found.open] == ["a", "c"]
        assert set(found.documents.values()) == {document("a").body, document("c").body}
        log.append(entry("synced", "a", outcome="interrupted", reconcile="a"))
    async with opened(path) as log:
        assert [row.reconcile for row in (await log.recall()).open] == ["c"]


async def test_a_new_log_knows_nothing_and_says_so(path: Path) -> None:
    async with opened(path) as log:
        found = await log.recall()
    assert found.known
    assert (found.observed, found.translated, found.open, found.documents) == ((), (), (), {})


async def test_a_log_that_can_not_be_read_is_no_known_past(path: Path) -> None:
    assert not (await journal(path).recall()).known
