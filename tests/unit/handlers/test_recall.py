"""What the rows of one run tell the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reactor.audit.entry import Entry
from reactor.events import Change, Observed
from reactor.handlers.memory import Memory
from reactor.handlers.recall import Known, recall
from reactor.handlers.record import Recorder
from reactor.kube.store import SplitStore
from reactor.model import serviceprofile
from reactor.model.serviceprofile import ServiceProfile

DOMAIN = "cluster.local"
NAME = "web.shop.svc.cluster.local"


@dataclass
class Row:
    namespace: str | None
    service: str | None
    reconcile: str | None
    detail: str
    digests: tuple[bytes, ...]


class Log:
    """Keeps what is appended, and gives the last row of the one profile back."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def append(self, entry: Entry) -> None:
        self.entries.append(entry)

    async def commit(self) -> bool:
        return True

    @property
    def observed(self) -> list[Row]:
        last = self.entries[-1]
        digests = tuple(document.digest for document in last.documents)
        return [Row(last.namespace, last.service, last.reconcile, last.detail.decode(), digests)]

    translated: tuple[Row, ...] = ()
    open: tuple[Row, ...] = ()

    @property
    def documents(self) -> dict[bytes, bytes]:
        return {d.digest: d.body for entry in self.entries for d in entry.documents}


def profile(version: int) -> ServiceProfile:
    metadata: dict[str, Any] = {
        "name": NAME,
        "namespace": "shop",
        "uid": "u-1",
        "resourceVersion": str(version),
    }
    return serviceprofile.decode(
        {
            "apiVersion": "linkerd.io/v1alpha2",
            "kind": "ServiceProfile",
            "metadata": metadata,
            "spec": {"dstOverrides": [{"authority": NAME, "weight": str(version)}]},
        }
    )


def seen(change: Change, old: ServiceProfile | None, new: ServiceProfile | None) -> Observed:
    return Observed("serviceprofiles", change, old, new, "unknown", 0, 0.0)


async def known_after(*events: Observed) -> Known:
    log = Log()
    recorder = Recorder(journal=log, splits=SplitStore(), memory=Memory(), cluster_domain=DOMAIN)
    recorder.follow([profile(1)])
    for event in events:
        await recorder.observed(event)
    return recall(log, memory=Memory(), domain=DOMAIN)


async def test_the_echo_of_a_write_leaves_the_profile_as_it_came_back() -> None:
    known = await known_after(seen("echo", None, profile(2)))
    assert [found.meta.resource_version for found in known.profiles] == ["2"]


async def test_the_echo_of_a_deletion_leaves_no_profile() -> None:
    known = await known_after(seen("echo", None, profile(2)), seen("echo", profile(3), None))
    assert known.profiles == []


async def test_a_deletion_leaves_no_profile() -> None:
    known = await known_after(seen("deleted", profile(1), None))
    assert known.profiles == []


async def test_a_profile_is_not_followed_past_its_end() -> None:
    log = Log()
    recorder = Recorder(journal=log, splits=SplitStore(), memory=Memory(), cluster_domain=DOMAIN)
    recorder.follow([profile(1)])
    await recorder.observed(seen("echo", profile(2), None))
    await recorder.observed(seen("added", None, profile(3)))
    assert len(log.entries) == 1
