"""Someone who keeps undoing our overrides: no endless fight, and a word about who it is."""

from __future__ import annotations

import time

from reactor.events import Contended, Synced, Translated
from reactor.translate.decision import Keep
from tests.contract.adaptor import Adaptor
from tests.contract.cluster import Cluster


class Still:
    """Time as it is for repairs that wait, which passes only by it: a busy machine changes none."""

    def __init__(self, adaptor: Adaptor) -> None:
        self._now = time.monotonic()
        adaptor.daemon.parts.reconciler._clock = lambda: self._now

    def pass_by(self, seconds: float) -> None:
        self._now += seconds


async def _fight(cluster: Cluster, adaptor: Adaptor, rounds: int) -> None:
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    for number in range(rounds):
        await cluster.settled(adaptor)
        await cluster.meddle("web", [("a", str(90 + number))], field_manager="gitops")
        await cluster.wait_overrides("web", [("a", "1")])


async def test_repairs_back_off_when_someone_keeps_undoing_them(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    still = Still(adaptor)
    await _fight(cluster, adaptor, rounds=2)
    first = await adaptor.event(Contended)
    assert (first.manager, first.split, first.count, first.wait) == ("gitops", "s", 2, 1.0)

    await cluster.settled(adaptor)
    await cluster.meddle("web", [("a", "99")], field_manager="gitops")

    held = await adaptor.event(Translated, lambda event: isinstance(event.decision.plan, Keep))
    assert isinstance(held.decision.plan, Keep)
    assert held.decision.plan.after == 1.0
    still.pass_by(1.0)
    await cluster.wait_overrides("web", [("a", "1")])
    second = await adaptor.event(Contended, lambda event: event.count == 3)
    assert second.wait == 2.0


async def test_a_contended_split_bears_a_warning_that_names_the_other(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()

    await _fight(cluster, adaptor, rounds=2)

    event = await cluster.wait_event("Contended", "s")
    assert event["type"] == "Warning"
    assert "gitops" in event["message"]
    assert cluster.authority("web") in event["message"]


async def test_a_second_adaptor_is_named_by_the_name_it_writes_under(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    for weight in ("7", "8"):
        await cluster.settled(adaptor)
        await cluster.meddle("web", [("a", weight)], field_manager="smi-adaptor")
        await cluster.wait_overrides("web", [("a", "1")])

    contended = await adaptor.event(Contended)
    assert contended.manager == "smi-adaptor"


async def test_a_new_wish_is_written_at_once_while_repairs_wait(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    Still(adaptor)
    await _fight(cluster, adaptor, rounds=2)
    await cluster.settled(adaptor)
    await cluster.meddle("web", [("a", "99")], field_manager="gitops")
    held = await adaptor.event(Synced, lambda event: event.outcome == "skipped")

    await cluster.set_weights("s", [("a", 2)])

    await cluster.wait_overrides("web", [("a", "2")])
    written = await adaptor.event(Synced, lambda event: event.at > held.at)
    assert written.outcome == "patched"


async def test_another_service_is_repaired_at_once_meanwhile(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    Still(adaptor)
    await cluster.create_split("t", "shop", [("b", 1)])
    await _fight(cluster, adaptor, rounds=2)
    await cluster.settled(adaptor)
    await cluster.meddle("web", [("a", "99")], field_manager="gitops")
    await adaptor.event(Synced, lambda event: event.outcome == "skipped")

    await cluster.meddle("shop", [("b", "7")])

    await cluster.wait_overrides("shop", [("b", "1")])
    await adaptor.event(
        Synced, lambda event: event.key.service == "shop" and event.outcome == "patched"
    )
