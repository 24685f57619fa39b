"""What each change of a writer must become: one write to the profile, and rows that name it."""

from __future__ import annotations

from collections.abc import Sequence

from reactor.events import Synced
from tests.contract.adaptor import Adaptor
from tests.contract.cluster import Cluster
from tests.contract.waiting import until

Weights = Sequence[tuple[str, str]]


class Follower:
    """An adaptor beside one writer's split, and how far it has followed."""

    def __init__(self, *, cluster: Cluster, adaptor: Adaptor, service: str) -> None:
        self._cluster = cluster
        self._adaptor = adaptor
        self._service = service
        self._asked = self._requests()
        self._outcomes: list[str] = []

    @classmethod
    async def of(cls, cluster: Cluster, service: str, *backends: str) -> Follower:
        """Starts an adaptor that knows these Services."""
        adaptor = await cluster.adaptor().start()
        names = list(dict.fromkeys([service, *backends]))
        await cluster.create_services(*names)
        known = adaptor.daemon.parts.services
        await until(lambda: all(known.get(cluster.namespace, name) for name in names))
        return cls(cluster=cluster, adaptor=adaptor, service=service)

    async def follows(self, *weights: tuple[str, str]) -> None:
        """The last change has become these overrides, with one write and no other request."""
        verb = "patch" if self._outcomes else "create"
        await self._cluster.wait_overrides(self._service, weights)
        await self._synced("patched" if self._outcomes else "created")
        self._asked[verb, "serviceprofiles"] = self._asked.get((verb, "serviceprofiles"), 0) + 1
        assert self._requests() == self._asked

    async def ends(self) -> None:
        """The split's end has removed the profile, with one write."""
        await self._cluster.wait_no_profile(self._service)
        await self._synced("deleted")
        self._asked["delete", "serviceprofiles"] = 1
        assert self._requests() == self._asked

    async def tells(self, split: str, *actors: str) -> None:
        """The log has one row per change and per write, and they name these managers.

        Most changes come within the second of the one before, which is all that the times in
        managedFields tell.
        """
        # Whatever else was to come has come.
        await self._cluster.settled(self._adaptor)
        namespace = self._cluster.namespace
        rows = await self._adaptor.rows(namespace=namespace, split=split, kind="observed")
        assert [row["actor"] for row in rows] == list(actors)
        types = ["added", *(["modified"] * (len(actors) - 1))]
        if self._outcomes[-1] == "deleted":
            types[-1] = "deleted"
        assert [row["detail"]["type"] for row in rows] == types
        rows = await self._adaptor.rows(namespace=namespace, service=self._service, kind="synced")
        assert [row["outcome"] for row in rows] == self._outcomes

    async def _synced(self, outcome: str) -> None:
        self._outcomes.append(outcome)
        key = (self._cluster.namespace, self._service)

        def outcomes() -> list[str]:
            found = self._adaptor.events(Synced)
            return [event.outcome for event in found if event.key == key]

        await until(lambda: len(outcomes()) >= len(self._outcomes))
        assert outcomes() == self._outcomes
        await self._adaptor.idle()

    def _requests(self) -> dict[tuple[str, str], int]:
        # Events have a queue of their own, and a watch ends whenever the server says so.
        asked: dict[tuple[str, str], int] = {}
        for (verb, resource, _), count in self._adaptor.requests().items():
            if verb != "watch" and resource != "events":
                asked[verb, resource] = asked.get((verb, resource), 0) + count
        return asked
