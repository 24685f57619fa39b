"""What each check asks: it reads, remembers for the checks after it, and has the answer judged."""

from __future__ import annotations

import msgspec

from reactor.check import adaptor, definitions, leftovers, place, pods, routes, splits
from reactor.check.access import Access
from reactor.check.adaptor import Report
from reactor.check.adminport import report
from reactor.check.cluster import Cluster
from reactor.check.kinds import Deployment, Pod
from reactor.check.result import Result, Trouble
from reactor.errors import Terminal
from reactor.kube import snapshot
from reactor.kube.connection import Connection
from reactor.kube.portforward import forwarded
from reactor.kube.snapshot import Snapshot
from reactor.translate.situation import Rules
from reactor.translate.survey import Judged, survey


class Questions:
    """One method a check; None when all is well.

    ``asked_for``: the namespace by its name; None: it is searched for. ``api_addr``: HOST:PORT
    of an adaptor; None: the pods are asked through port-forwards. ``version`` is the CLI's.
    """

    def __init__(
        self,
        *,
        connection: Connection,
        access: Access,
        asked_for: str | None,
        api_addr: str | None,
        version: str,
    ) -> None:
        self._connection = connection
        self._cluster = Cluster(connection)
        self._access = access
        self._asked_for = asked_for
        self._api_addr = api_addr
        self._version = version
        self.found = False
        self.deployment: Deployment | None = None
        self.reports: list[Report] = []
        self._namespace = ""
        self._pods: list[Pod] = []
        self._judged: list[Judged] = []
        self._snapshot: Snapshot | None = None

    async def namespace(self) -> Trouble | None:
        """Sets ``found`` when the other questions have a place to ask about."""
        if self._asked_for is not None:
            name = self._asked_for
            found = place.named(name, await self._cluster.namespace(name))
        else:
            labelled = await self._cluster.labelled()
            deployments = [] if len(labelled) == 1 else await self._cluster.deployments()
            found = place.searched(labelled, deployments)
        if found.namespace is not None:
            self.found = True
            self._namespace = found.namespace
        return found.trouble

    async def account(self) -> Trouble | None:
        found = await self._cluster.account(self._namespace)
        self.deployment = await self._cluster.deployment(self._namespace)
        return place.account(found, self._namespace, self._install)

    async def splits_served(self) -> Trouble | None:
        return definitions.splits_served(await self._cluster.split_versions(), self._install)

    async def profiles_served(self) -> Trouble | None:
        return definitions.profiles_served(await self._cluster.profile_resources())

    async def rights(self) -> Trouble | None:
        trouble = await self._access.sufficient(self._namespace, self._install)
        if trouble is None or self.deployment is None or not adaptor.go_adaptor(self.deployment):
            return trouble
        # It needs less than ours does: this is only what an upgrade will bring.
        return msgspec.structs.replace(trouble, warning=True)

    async def running(self) -> Trouble | None:
        self.deployment = await self._cluster.deployment(self._namespace)
        self._pods = pods.live(await self._cluster.pods(self._namespace))
        return pods.running(self.deployment, self._pods, self._namespace)

    async def injected(self) -> Trouble | None:
        return pods.injected(self._pods, self._namespace)

    async def proxies(self) -> Trouble | None:
        self._pods = pods.live(await self._cluster.pods(self._namespace))
        return pods.proxies(self._pods, self._namespace)

    async def ready(self) -> Trouble | None:
        try:
            self.reports = await self._reported()
        except Terminal as error:
            if error.status != 403:
                raise
            return adaptor.unheard(str(error), self._namespace)
        if not self.reports:
            return Trouble(
                "no pod of it runs", f"`kubectl -n {self._namespace} get pods -l {pods.SELECTOR}`"
            )
        return adaptor.ready(self.reports, self._namespace)

    async def same_version(self) -> Trouble | None:
        return adaptor.same_version(self.deployment, self.reports, self._version, self._namespace)

    async def complete(self) -> Trouble | None:
        return adaptor.complete(self.reports, self._namespace)

    def kept(self) -> Result | None:
        """None when nothing here keeps a log."""
        if self.deployment is None or adaptor.go_adaptor(self.deployment):
            return None
        return adaptor.kept(self.deployment, self._namespace)

    async def valid(self) -> Trouble | None:
        return splits.valid((await self._survey()).splits)

    async def effective(self) -> Trouble | None:
        return splits.effective(self._judged)

    async def in_sync(self) -> Trouble | None:
        trouble = splits.in_sync(self._judged)
        if trouble is not None:
            await self._survey()  # a write may have been under way
            trouble = splits.in_sync(self._judged)
        return trouble

    async def routes(self) -> Trouble | None:
        found = {group: await self._cluster.routes(group) for group in routes.GROUPS}
        profiles = self._snapshot.profiles if self._snapshot is not None else ()
        return routes.heeded(found, profiles, self._rules.cluster_domain)

    async def leftovers(self) -> Trouble | None:
        return leftovers.gone(
            self._namespace,
            labelled=await self._cluster.labelled(),
            deployments=await self._cluster.deployments(),
            definition=await self._cluster.definition(),
        )

    @property
    def surveyed(self) -> bool:
        """Whether the splits could be read."""
        return self._snapshot is not None

    @property
    def _install(self) -> str:
        return adaptor.install(self.deployment, self._namespace)

    @property
    def _rules(self) -> Rules:
        return adaptor.rules(self.deployment)

    async def _survey(self) -> Snapshot:
        rules = self._rules
        found = await snapshot.take(self._connection, domain=rules.cluster_domain)
        self._judged = survey(
            found.splits, profiles=found.profiles, services=found.services, rules=rules
        )
        self._snapshot = found
        return found

    async def _reported(self) -> list[Report]:
        if self._api_addr is not None:
            return [await report(self._api_addr, self._api_addr)]
        reports = []
        self._pods = pods.live(await self._cluster.pods(self._namespace))
        for pod in self._pods:
            if pod.status.phase != "Running":
                continue
            name = pod.metadata.name
            port = adaptor.port(pod.spec)
            async with forwarded(self._connection, self._namespace, name, port) as local:
                reports.append(await report(name, f"127.0.0.1:{local}"))
        return reports
