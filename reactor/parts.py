"""Builds the parts and connects them; `reactor.daemon` starts and stops them.

The only place that wires.
"""

from __future__ import annotations

import itertools
import os
import secrets
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from prometheus_client import CollectorRegistry

from reactor import __version__
from reactor.admin.server import Server
from reactor.audit.feed import Feed
from reactor.audit.index.indexer import Indexer
from reactor.audit.journal import Journal
from reactor.audit.pace import Pace
from reactor.audit.query import Reader
from reactor.audit.retention import Retention
from reactor.bus import Bus
from reactor.events import Contended, Key, Observed, Synced, Translated
from reactor.handlers.announce import Announce
from reactor.handlers.gauges import (
    ArchiveGauges,
    EventGauges,
    JournalGauges,
    QueueGauges,
    WatchGauges,
)
from reactor.handlers.measure import Measure
from reactor.handlers.memory import Memory
from reactor.handlers.orphans import Orphans
from reactor.handlers.overview import Overview
from reactor.handlers.reconcile import Reconciler
from reactor.handlers.record import Recorder
from reactor.handlers.registry import build_registry
from reactor.handlers.schedule import Scheduler
from reactor.handlers.situations import Situations
from reactor.handlers.workers import Workers
from reactor.kube.connection import Connection
from reactor.kube.discovery import Fixed, Newest
from reactor.kube.lease import Lease
from reactor.kube.profiles import Profiles
from reactor.kube.recorder import Recorder as EventRecorder
from reactor.kube.reflector import Reflector
from reactor.kube.review import Reviewer
from reactor.kube.store import SplitStore, Store
from reactor.model import service, serviceprofile, trafficsplit
from reactor.model.decode import parse_object
from reactor.model.service import Service
from reactor.model.serviceprofile import ServiceProfile
from reactor.model.trafficsplit import TrafficSplit
from reactor.settings import Settings
from reactor.translate.situation import Rules
from reactor.workqueue import WorkQueue

if TYPE_CHECKING:
    from reactor.audit.archive.logs import Logs
    from reactor.audit.archive.reader import ArchiveReader
    from reactor.audit.archive.shipper import Shipper


class Readiness(Protocol):
    """Says what /ready says."""

    def reasons(self) -> Sequence[str]:
        """Why the process isn't ready, in plain words; empty when it is."""

    def remarks(self) -> Sequence[str]:
        """What doesn't work although it is ready, in plain words."""


class Parts:
    """Everything that the process consists of, connected and at rest."""

    def __init__(self, settings: Settings, readiness: Readiness) -> None:
        self._settings = settings
        self.measure = Measure()
        self.bus = Bus()
        self.queue: WorkQueue[Key] = WorkQueue()
        self.memory = Memory()
        self.splits = SplitStore()
        self.profiles: Store[ServiceProfile] = Store()
        self.services: Store[Service] = Store()
        self.connection = Connection.from_kubeconfig(
            settings.kubeconfig, environ=os.environ, observed=self.measure.requested
        )
        # Who comes back to a tail asks for one row, and is late already.
        self.feed = Feed(log=Reader(url=settings.audit_url))
        self.journal = Journal(
            url=settings.audit_url,
            version=__version__,
            host=settings.pod_name,
            settings=settings.recorded(),
            cluster_domain=settings.cluster_domain,
            retention=Retention(settings.audit_retention_age, settings.audit_retention_size),
            on_commit=self._committed,
            followers=self.feed,
        )
        self.pace = Pace()
        reader = Reader(url=settings.audit_url, pace=self.pace)
        self.indexer = Indexer(url=settings.audit_url, pace=self.pace)
        self.shipper, self.archive = self._build_archive()
        logs = self._build_logs(reader)
        self.situations = Situations(
            splits=self.splits,
            profiles=self.profiles,
            services=self.services,
            memory=self.memory,
            rules=Rules(settings.cluster_domain, settings.orphans),
        )
        self.overview = Overview(splits=self.splits, situations=self.situations)
        self.scheduler = Scheduler(
            queue=self.queue,
            splits=self.splits,
            profiles=self.profiles,
            memory=self.memory,
            cluster_domain=settings.cluster_domain,
        )
        self.lease = Lease(
            connection=self.connection,
            namespace=settings.pod_namespace or "",
            identity=f"{settings.pod_name}_{secrets.token_hex(4)}",
        )
        self._build_reflectors()
        self.orphans = Orphans(
            memory=self.memory,
            queue=self.queue,
            relist=self.split_reflector.relist,
            clock=time.monotonic,
        )
        self._build_workers()
        self._subscribe()
        self.server = Server(
            address=settings.metrics_addr,
            readiness=readiness,
            registry=self._registry(),
            log=logs or reader,
            source=None if logs is None else logs.source,
            feed=self.feed,
            splits=self.overview,
            reviewer=Reviewer(connection=self.connection)
            if settings.admin_auth == "token"
            else None,
        )

    def _committed(self, rows: int, seconds: float) -> None:
        self.measure.committed(rows, seconds)
        if self.shipper is not None:
            self.shipper.committed(rows)

    def _build_archive(self) -> tuple[Shipper | None, ArchiveReader | None]:
        settings = self._settings
        if settings.archive_url is None:
            return None, None
        # PostgreSQL's driver takes time and memory that nobody without an archive should pay.
        from reactor.audit.archive.reader import ArchiveReader
        from reactor.audit.archive.shipper import Shipper

        url = settings.archive_url.value
        shipper = Shipper(
            archive_url=url,
            log_url=settings.audit_url,
            cluster=settings.cluster_name,
            retention=settings.archive_retention_age,
        )
        return shipper, ArchiveReader(url=url, cluster=settings.cluster_name)

    def _build_logs(self, reader: Reader) -> Logs | None:
        if self.shipper is None or self.archive is None:
            return None
        from reactor.audit.archive.logs import Logs

        return Logs(archive=self.archive, local=reader, shipping=self.shipper)

    def _build_reflectors(self) -> None:
        domain = self._settings.cluster_domain

        def decode_split(raw: msgspec.Raw) -> TrafficSplit:
            return trafficsplit.decode(parse_object(raw), domain=domain)

        def decode_profile(raw: msgspec.Raw) -> ServiceProfile:
            return serviceprofile.decode(parse_object(raw))

        def decode_service(raw: msgspec.Raw) -> Service:
            return service.decode(parse_object(raw))

        self.writer = Profiles(
            connection=self.connection,
            decode=decode_profile,
            in_flight=self._settings.worker_threads,
        )
        self.announcer = EventRecorder(
            connection=self.connection, rested=lambda: self.writer.rested
        )
        self.split_reflector: Reflector[TrafficSplit] = Reflector(
            connection=self.connection,
            discovery=Newest(
                connection=self.connection,
                group=trafficsplit.GROUP,
                plural=trafficsplit.PLURAL,
                versions=trafficsplit.VERSIONS,
            ),
            resource="trafficsplits",
            decode=decode_split,
            store=self.splits,
            publish=self.bus.publish,
            absent="the cluster serves no TrafficSplits: apply config/crd/trafficsplit.yaml",
        )
        self.profile_reflector: Reflector[ServiceProfile] = Reflector(
            connection=self.connection,
            discovery=Fixed(
                f"/apis/{serviceprofile.GROUP}/{serviceprofile.VERSION}/{serviceprofile.PLURAL}"
            ),
            resource="serviceprofiles",
            decode=decode_profile,
            store=self.profiles,
            publish=self.bus.publish,
            absent="the cluster serves no ServiceProfiles: install Linkerd's CRDs",
            echoes=True,
            returned=self.scheduler.reconsider,
        )
        self.service_reflector: Reflector[Service] = Reflector(
            connection=self.connection,
            discovery=Fixed("/api/v1/services"),
            resource="services",
            decode=decode_service,
            store=self.services,
            publish=self.bus.publish,
            absent="the cluster serves no Services",
        )

    def _build_workers(self) -> None:
        names = itertools.count(1)
        self.reconciler = Reconciler(
            situations=self.situations,
            memory=self.memory,
            profiles=self.profiles,
            writer=self.writer,
            queue=self.queue,
            bus=self.bus,
            may_write=lambda: not self._settings.leader_elect or self.lease.held,
            doubt=self.orphans.doubt,
            name=lambda: f"{self.journal.run.rpartition('-')[2]}-{next(names):x}",
        )
        self.workers = Workers(
            count=self._settings.worker_threads,
            queue=self.queue,
            reconcile=self.reconciler.reconcile,
            onlooker=self.pace,
        )

    def _subscribe(self) -> None:
        self.recorder = Recorder(
            journal=self.journal,
            splits=self.splits,
            memory=self.memory,
            cluster_domain=self._settings.cluster_domain,
        )
        announce = Announce(announcer=self.announcer, splits=self.splits, names=self.situations)
        bus = self.bus
        bus.subscribe(Observed, self.recorder.observed)
        bus.subscribe(Observed, self.scheduler.observed)
        bus.subscribe(Observed, announce.observed)
        bus.subscribe(Observed, self.measure.observed)
        bus.subscribe(Translated, self.recorder.translated)
        bus.subscribe(Translated, announce.translated)
        bus.subscribe(Synced, self.recorder.synced)
        bus.subscribe(Synced, announce.synced)
        bus.subscribe(Synced, self.measure.synced)
        bus.subscribe(Synced, self.overview.synced)
        bus.subscribe(Contended, announce.contended)
        bus.subscribe(Contended, self.measure.contended)

    def _registry(self) -> CollectorRegistry:
        registry = build_registry(version=__version__)
        registry.register(self.measure)
        registry.register(QueueGauges(self.queue))
        registry.register(WatchGauges({name: part.health for name, part in self.reflectors}))
        registry.register(JournalGauges(self.journal))
        registry.register(ArchiveGauges(self.shipper))
        registry.register(EventGauges(self.announcer))
        return registry

    @property
    def reflectors(self) -> tuple[tuple[str, Reflector[Any]], ...]:
        """By resource, in the order in which they are listed: profiles before splits."""
        return (
            ("serviceprofiles", self.profile_reflector),
            ("services", self.service_reflector),
            ("trafficsplits", self.split_reflector),
        )
