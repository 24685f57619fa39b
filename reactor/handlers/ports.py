"""What the handlers need of the network, the disk and each other, as small Protocols."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Protocol

from reactor.audit.entry import Entry
from reactor.events import Key
from reactor.model.service import Service
from reactor.model.serviceprofile import Override, ServiceProfile
from reactor.model.trafficsplit import TrafficSplit


class Journal(Protocol):
    """The audit log's writer."""

    def append(self, entry: Entry) -> None:
        """Take a row; never blocks, order is kept."""

    async def commit(self) -> bool:
        """Wait until everything appended is durable; False when the log is degraded."""


class Splits(Protocol):
    """The splits as last seen."""

    def by_service(self, namespace: str, service: str) -> list[TrafficSplit]: ...

    def get(self, namespace: str, name: str) -> TrafficSplit | None: ...

    def values(self) -> Iterable[TrafficSplit]: ...


class Profiles(Protocol):
    """The profiles as last seen, our own writes' answers included."""

    def get(self, namespace: str, name: str) -> ServiceProfile | None: ...

    def values(self) -> Iterable[ServiceProfile]: ...

    def put(self, obj: ServiceProfile) -> object:
        """Take an answer, unless something newer is known."""

    def remove(self, namespace: str, name: str, uid: str) -> object:
        """Take a deletion: the uid gets a tombstone."""


class Services(Protocol):
    """The Services as last seen."""

    def get(self, namespace: str, name: str) -> Service | None: ...


class Writer(Protocol):
    """Writes to the cluster; raises Conflict, Retryable or Terminal."""

    async def create(
        self, namespace: str, name: str, overrides: tuple[Override, ...]
    ) -> ServiceProfile: ...

    async def patch(
        self,
        namespace: str,
        name: str,
        overrides: tuple[Override, ...] | None,
        resource_version: str,
    ) -> ServiceProfile: ...

    async def delete(self, namespace: str, name: str, uid: str, resource_version: str) -> bool:
        """True when the object is gone, False while a finalizer holds it."""
        ...

    async def get(self, namespace: str, name: str) -> ServiceProfile | None: ...


class Queue(Protocol):
    """The work queue as the handlers use it; delays in seconds."""

    def add(self, key: Key) -> None: ...

    def add_after(self, key: Key, delay: float) -> None: ...

    async def get(self) -> tuple[Key, float]: ...

    def done(self, key: Key) -> None: ...

    def retry(self, key: Key) -> float: ...

    def retry_in(self, key: Key, delay: float) -> None: ...

    def forget(self, key: Key) -> None: ...

    def failures(self, key: Key) -> int: ...


class Announcer(Protocol):
    """Sends Kubernetes Events about a split; never waits, never fails."""

    def event(
        self, split: TrafficSplit, type: Literal["Normal", "Warning"], reason: str, message: str
    ) -> None: ...
