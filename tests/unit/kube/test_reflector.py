"""What a reflector tells of lists and watches, and what it survives, over HTTP."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from reactor.errors import Retryable
from reactor.model.trafficsplit import TrafficSplit

from .bench import Bench, bench, with_splits
from .model_server import overloaded
from .objects import decode_split, decoded


async def test_what_is_there_is_listed_in_chunks_and_what_comes_is_watched(tmp_path: Path) -> None:
    async with bench(tmp_path, before=with_splits("a", "b", "c"), chunk=2) as found:
        await found.reflector.synced()
        assert found.told() == [("added", "a"), ("added", "b"), ("added", "c")]
        await found.settled()
        found.server.write("a", "api")
        found.server.delete("b")
        await found.until(lambda: len(found.seen) == 5)
        assert found.told()[3:] == [("modified", "a"), ("deleted", "b")]
        await found.settled()
    lists = [q for q in found.server.queries if "limit" in q]
    assert [q["limit"] for q in lists] == ["500", "500"]
    assert all("resourceVersion" not in q for q in lists)
    (watch,) = [q for q in found.server.queries if "watch" in q]
    assert watch["allowWatchBookmarks"] == "true"
    assert watch["timeoutSeconds"] == "290"


async def test_what_the_journal_knew_is_not_told_again(tmp_path: Path) -> None:
    def seeded(found: Bench) -> None:
        with_splits("same", "changed")(found)
        uids = {n: o["metadata"]["uid"] for n, o in found.server.objects.items()}
        found.store.seed(
            [
                decoded("same", version=11, uid=uids["same"]),
                decoded("changed", version=3, uid=uids["changed"]),
                decoded("gone", version=4, uid="uid-gone"),
            ]
        )

    async with bench(tmp_path, before=seeded) as found:
        await found.reflector.synced()
        assert found.told() == [("modified", "changed"), ("deleted", "gone")]
        assert all(event.proved for event in found.seen)


async def test_a_410_as_an_event_leads_to_a_fresh_list(tmp_path: Path) -> None:
    async with bench(tmp_path, before=with_splits("a", "b")) as found:
        await found.settled()
        found.server.hold()
        found.server.delete("a")
        for watcher in found.server.watchers:
            watcher.queue.clear()
        found.server.expire_watches()
        await found.settled()
        assert found.told()[2:] == [("deleted", "a")]
        assert found.reflector.health.restarts["expired"] == 1


async def test_a_410_as_a_status_leads_to_a_fresh_list(tmp_path: Path) -> None:
    async with bench(tmp_path, before=with_splits("a", "b")) as found:
        await found.settled()
        found.server.end_watches(None)
        found.server.delete("a")
        found.server.compact()
        await found.settled()
        assert found.told()[2:] == [("deleted", "a")]
        assert found.reflector.health.restarts["expired"] == 1


async def test_a_410_amid_the_chunks_leads_to_one_list_in_one_piece(tmp_path: Path) -> None:
    async with bench(tmp_path, before=with_splits("a", "b", "c"), chunk=2) as found:
        await found.settled()
        found.server.queries.clear()
        found.server.snapshots = _Forgetting()
        await found.reflector.relist()
        assert [("continue" in q, q.get("limit")) for q in found.server.queries[1:]] == [
            (False, "500"),
            (True, "500"),
            (False, None),
        ]


async def test_a_relist_finds_a_thousand_deletes_that_were_missed(tmp_path: Path) -> None:
    names = [f"split-{number}" for number in range(1100)]
    async with bench(tmp_path, before=with_splits(*names)) as found:
        await found.settled()
        found.seen.clear()
        found.server.end_watches(None)
        for name in names[:1000]:
            found.server.delete(name)
        found.server.compact()
        await found.settled()
        assert len(found.seen) == 1000
        assert {event.change for event in found.seen} == {"deleted"}
        assert all(event.proved for event in found.seen)
        assert len(found.store) == 100


async def test_a_connection_that_goes_silent_is_left_and_made_anew(tmp_path: Path) -> None:
    async with bench(tmp_path, before=with_splits("a"), silence=0.2) as found:
        await found.settled()
        found.server.hold()
        found.server.write("a", "api")
        for watcher in found.server.watchers:
            watcher.queue.clear()  # this connection will never tell
        await found.until(lambda: found.reflector.health.restarts["failed"] > 0)
        found.server.release()
        await found.settled()
        assert ("modified", "a") in found.told()


async def test_half_a_line_is_no_event_and_the_whole_one_comes_after(tmp_path: Path) -> None:
    async with bench(tmp_path, before=with_splits("a")) as found:
        await found.settled()
        watchers, found.server.watchers = found.server.watchers, []
        found.server.write("a", "api")
        found.server.watchers = watchers
        found.server.cut_amid(found.server.history[-1][1])
        await found.settled()
        assert found.told() == [("added", "a"), ("modified", "a")]


async def test_an_object_of_two_mebibytes_arrives(tmp_path: Path) -> None:
    async with bench(tmp_path, before=with_splits("a")) as found:
        await found.settled()
        found.server.write("a", "web")
        big = found.server.write("a", "web")
        big["metadata"]["annotations"] = {"big": "x" * (2 * 2**20)}
        found.server.history.clear()
        found.server.delete("b")
        found.server._record("MODIFIED", big)
        found.server.write("c", "web")
        await found.settled()
        split = found.store.get("ns", "a")
        assert split is not None


async def test_a_retry_after_is_honoured(tmp_path: Path) -> None:
    def busy(found: Bench) -> None:
        found.server.faults.append(overloaded(after=7.0))

    async with bench(tmp_path, before=busy) as found:
        await found.reflector.synced()
    assert 7.0 <= found.slept[0] <= 7.7


async def test_a_storm_of_500s_and_503s_passes(tmp_path: Path) -> None:
    def storm(found: Bench) -> None:
        with_splits("a")(found)
        found.server.faults.extend(Retryable("storm", status=status) for status in [500, 503] * 15)

    async with bench(tmp_path, before=storm) as found:
        await found.settled()
    assert len(found.slept) >= 30
    assert max(found.slept) <= 5.0
    assert found.slept[0] < found.slept[3] < found.slept[-1]


async def test_an_object_that_cannot_be_decoded_stops_nothing(tmp_path: Path) -> None:
    def picky(raw: msgspec.Raw) -> TrafficSplit:
        if b'"poison"' in bytes(raw):
            raise ValueError("poison")
        return decode_split(raw)

    async with bench(tmp_path, before=with_splits("a", "b"), decode=picky) as found:
        await found.settled()
        known = found.store.get("ns", "a")
        found.server.write("a", "poison")
        found.server.write("b", "api")
        await found.until(lambda: len(found.seen) == 3)
        assert found.told()[2:] == [("modified", "b")]
        await found.reflector.relist()
        assert found.store.get("ns", "a") is known
        found.server.delete("a")
        await found.until(lambda: found.told()[-1] == ("deleted", "a"))


async def test_an_object_nested_beyond_reason_stops_nothing(tmp_path: Path) -> None:
    async with bench(tmp_path, before=with_splits("a")) as found:
        await found.settled()
        deep = json.dumps(found.server.write("deep", "web")).encode()
        deep = deep.replace(b'"backends": []', b'"x": ' + b'{"x":' * 3000 + b"1" + b"}" * 3000)
        for watcher in found.server.watchers:
            watcher.send(b'{"type":"MODIFIED","object":' + deep.replace(b"12", b"13") + b"}")
        found.server.version = 20
        found.server.write("b", "web")
        await found.until(lambda: ("added", "b") in found.told())
        assert found.reflector.health.restarts["failed"] == 0


async def test_an_event_that_is_known_already_is_an_echo_if_wanted(tmp_path: Path) -> None:
    async with bench(tmp_path, before=with_splits("a"), echoes=True) as found:
        await found.settled()
        found.server.hold()
        answer = found.server.write("a", "api")
        found.store.put(decode_split(json.dumps(answer).encode()))
        uid = answer["metadata"]["uid"]
        found.server.delete("a")
        found.store.remove("ns", "a", uid)
        found.server.release()
        await found.until(lambda: len(found.seen) == 3)
        assert found.told()[1:] == [("echo", "a"), ("echo", "a")]


async def test_an_event_that_is_known_already_tells_nothing_otherwise(tmp_path: Path) -> None:
    async with bench(tmp_path, before=with_splits("a")) as found:
        await found.settled()
        found.server.repeat(1)
        found.server.write("b", "web")
        await found.settled()
        assert found.told() == [("added", "a"), ("added", "b")]


async def test_no_watch_for_a_minute_is_not_ready(tmp_path: Path) -> None:
    async with bench(tmp_path, before=with_splits("a")) as found:
        await found.settled()
        found.now += 3600  # a quiet watch is no outage
        assert found.reflector.health.unready() is None
        found.server.faults.extend(Retryable("down", status=503) for _ in range(10_000))
        found.server.end_watches(None)
        await found.until(lambda: found.reflector.health.restarts["failed"] > 0)
        found.now += 59
        assert found.reflector.health.unready() is None
        found.now += 1
        reason = found.reflector.health.unready() or ""
        assert reason.startswith("no watch of trafficsplits for 60 s")
        assert "503" in reason
        found.server.faults.clear()
        await found.until(lambda: found.reflector.health.unready() is None)


async def test_a_watch_that_ends_at_once_again_and_again_is_not_hammered(tmp_path: Path) -> None:
    async with bench(tmp_path) as found:
        for _ in range(6):
            await found.until(lambda: bool(found.server.watchers))
            found.server.end_watches(None)
        await found.settled()
    assert len(found.slept) >= 4
    assert found.slept[-1] > found.slept[0]


class _Forgetting(dict[str, tuple[int, list[dict[str, object]]]]):
    """Snapshots that are compacted away as soon as they are taken."""

    def __contains__(self, key: object) -> bool:
        return False
