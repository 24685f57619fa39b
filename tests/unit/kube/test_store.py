"""What the store takes in, and what it knows better."""

from __future__ import annotations

from reactor.kube.store import SplitStore

from .objects import decoded


def test_a_new_object_is_added_and_found_by_name_and_by_service() -> None:
    store = SplitStore()
    split = decoded(version=5)
    assert [(c.kind, c.old, c.new) for c in store.put(split)] == [("added", None, split)]
    assert store.get("ns", "web-split") is split
    assert store.by_service("ns", "web") == [split]
    assert store.by_service("other", "web") == []


def test_the_newer_version_wins_whatever_comes_last() -> None:
    store = SplitStore()
    newer = decoded(version=10)
    store.put(newer)
    assert store.put(decoded(version=9)) == ()
    assert store.put(decoded(version=10)) == ()
    assert store.get("ns", "web-split") is newer


def test_a_deleted_uid_stays_deleted() -> None:
    store = SplitStore()
    store.put(decoded(version=5))
    assert [c.kind for c in store.remove("ns", "web-split", "uid-1")] == ["deleted"]
    assert store.put(decoded(version=6)) == ()
    assert store.remove("ns", "web-split", "uid-1", last=decoded(version=7)) == ()
    assert len(store) == 0


def test_a_successor_of_the_same_name_ends_the_one_before() -> None:
    store = SplitStore()
    store.put(decoded(version=5, uid="one"))
    assert [c.kind for c in store.put(decoded(version=8, uid="two"))] == ["deleted", "added"]
    assert store.put(decoded(version=9, uid="one")) == ()
    assert store.remove("ns", "web-split", "one", last=decoded(version=7, uid="one")) == ()
    found = store.get("ns", "web-split")
    assert found is not None
    assert found.meta.uid == "two"


def test_a_later_deletion_of_another_uid_ends_what_is_held() -> None:
    store = SplitStore()
    store.put(decoded(version=5, uid="one"))
    changes = store.remove("ns", "web-split", "two", last=decoded(version=9, uid="two"))
    assert [c.kind for c in changes] == ["deleted"]
    assert store.put(decoded(version=6, uid="one")) == ()


def test_a_late_answer_about_what_came_and_went_is_not_believed() -> None:
    store = SplitStore()
    store.replace([], version=12, floor=0)
    assert store.put(decoded(version=11)) == ()
    assert len(store.put(decoded(version=13))) == 1


def test_a_split_whose_service_cannot_be_read_keeps_its_last_known_one() -> None:
    store = SplitStore()
    store.put(decoded(version=5))
    (change,) = store.put(decoded(version=6, service=None))
    assert change.new is not None
    assert change.new.service == "web"
    assert [s.meta.resource_version for s in store.by_service("ns", "web")] == ["6"]


def test_a_split_that_was_made_again_does_not_inherit_a_service() -> None:
    store = SplitStore()
    store.put(decoded(version=5, uid="one"))
    store.put(decoded(version=6, uid="two", service=None))
    assert store.by_service("ns", "web") == []


def test_a_renamed_service_moves_the_split_in_the_index() -> None:
    store = SplitStore()
    store.put(decoded("a", version=5, uid="a"))
    store.put(decoded("b", version=6, uid="b"))
    store.put(decoded("a", version=7, uid="a", service="api"))
    assert [s.meta.name for s in store.by_service("ns", "web")] == ["b"]
    assert [s.meta.name for s in store.by_service("ns", "api")] == ["a"]


def test_a_relist_tells_what_came_changed_and_went() -> None:
    store = SplitStore()
    store.seed([decoded("same", version=1, uid="s"), decoded("gone", version=2, uid="g")])
    store.seed([decoded("changed", version=3, uid="c")])
    changes = store.replace(
        [
            decoded("same", version=1, uid="s"),
            decoded("changed", version=8, uid="c"),
            decoded("new", version=9, uid="n"),
        ],
        version=10,
        floor=store.newest,
    )
    told = [(c.kind, split.meta.name) for c in changes if (split := c.new or c.old) is not None]
    assert sorted(told) == [("added", "new"), ("deleted", "gone"), ("modified", "changed")]


def test_a_relist_takes_nothing_back_that_we_wrote_since() -> None:
    store = SplitStore()
    store.replace([decoded("a", version=1, uid="a")], version=5, floor=0)
    floor = store.newest
    store.put(decoded("ours", version=7, uid="o"))
    store.put(decoded("a", version=8, uid="a", service="api"))
    assert store.replace([decoded("a", version=1, uid="a")], version=6, floor=floor) == []
    assert len(store) == 2


def test_a_relist_keeps_what_is_there_but_unreadable() -> None:
    store = SplitStore()
    store.put(decoded(version=1))
    assert store.replace([], version=5, floor=1, keep={("ns", "web-split")}) == []
    assert len(store) == 1


def test_a_list_from_a_restored_server_is_believed_although_it_is_older() -> None:
    store = SplitStore()
    store.replace(
        [decoded("a", version=90, uid="a"), decoded("b", version=95, uid="b")], version=100, floor=0
    )
    changes = store.replace([decoded("a", version=20, uid="a")], version=40, floor=store.newest)
    assert [c.kind for c in changes] == ["modified", "deleted"]
    assert len(store.put(decoded("c", version=41, uid="c"))) == 1


def test_only_so_many_deleted_uids_are_remembered() -> None:
    store = SplitStore()
    store.put(decoded("a", version=1, uid="first"))
    store.remove("ns", "a", "first")
    for number in range(16384):
        store.remove("ns", "x", f"uid-{number}")
    assert len(store.put(decoded("a", version=2, uid="first"))) == 1
