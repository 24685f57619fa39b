"""A reflector whose token expires, whose rights are missing, whose definition comes and goes."""

from __future__ import annotations

from pathlib import Path

from reactor.errors import Terminal

from .bench import Bench, bench, with_splits


async def test_an_expired_token_is_read_again(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first\n")

    def guarded(found: Bench) -> None:
        with_splits("a")(found)
        found.server.token = "first"

    async with bench(tmp_path, before=guarded, user={"tokenFile": "token"}) as found:
        await found.settled()
        token.write_text("second\n")
        found.server.token = "second"
        found.server.write("a", "api")
        found.server.end_watches(None)
        await found.settled()
        assert found.reflector.health.restarts["refused"] == 0


async def test_refused_credentials_are_told_and_retried(tmp_path: Path) -> None:
    def guarded(found: Bench) -> None:
        found.server.token = "right"

    async with bench(tmp_path, before=guarded, user={"token": "wrong"}) as found:
        await found.until(lambda: found.reflector.health.restarts["refused"] > 2)
        assert "doesn't accept our credentials" in (found.reflector.health.unready() or "")
        found.server.token = None
        await found.settled()


async def test_a_missing_right_is_told(tmp_path: Path) -> None:
    def forbidden(found: Bench) -> None:
        found.server.faults.append(Terminal("no", status=403, reason="Forbidden"))

    async with bench(tmp_path, before=forbidden) as found:
        await found.until(lambda: found.reflector.health.restarts["refused"] == 1)
        assert "ClusterRole" in (found.reflector.health.waiting or "ClusterRole")
        await found.settled()


async def test_the_definition_may_appear_after_the_start(tmp_path: Path) -> None:
    def without(found: Bench) -> None:
        found.server.served = None

    async with bench(tmp_path, before=without) as found:
        await found.until(lambda: found.reflector.health.restarts["missing"] > 2)
        assert found.reflector.health.unready() == "the CRD is missing: apply it"
        found.server.served = "v1alpha2"
        found.server.write("a", "web")
        await found.settled()
        assert found.reflector.health.unready() is None
    assert max(found.slept) <= 5.0


async def test_while_the_definition_is_away_nothing_is_taken_for_gone(tmp_path: Path) -> None:
    async with bench(tmp_path, before=with_splits("a", "b")) as found:
        await found.settled()
        found.seen.clear()
        found.server.remove_crd()
        await found.until(lambda: found.reflector.health.restarts["missing"] > 2)
        assert set(found.versions()) == {"a", "b"}
        assert found.seen == []
        found.server.served = "v1alpha4"
        found.server.write("a", "web")
        await found.settled()
        told = [(e.change, e.object.meta.name, e.proved) for e in found.seen]
        assert sorted(told) == [
            ("added", "a", True),
            ("deleted", "a", False),
            ("deleted", "b", False),
        ]


async def test_when_splits_are_deleted_with_their_definition_that_is_proof(tmp_path: Path) -> None:
    async with bench(tmp_path, before=with_splits("a")) as found:
        await found.settled()
        found.server.delete("a")
        found.server.remove_crd()
        await found.until(lambda: found.reflector.health.restarts["missing"] > 1)
        assert found.told()[-1] == ("deleted", "a")
        assert found.seen[-1].proved


async def test_a_new_version_is_watched_once_it_is_served(tmp_path: Path) -> None:
    async with bench(tmp_path, before=with_splits("a")) as found:
        await found.settled()
        found.server.served = "v1alpha3"
        found.server.end_watches(None)
        await found.until(
            lambda: found.reflector.health.restarts["moved"] == 1 and bool(found.server.watchers)
        )
        found.server.write("a", "api")
        await found.settled()
        assert found.told() == [("added", "a"), ("modified", "a")]
        split = found.store.get("ns", "a")
        assert split is not None
        assert split.api_version == "split.smi-spec.io/v1alpha3"
