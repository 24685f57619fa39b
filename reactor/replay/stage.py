"""The cluster in which recorded events happen again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from reactor.errors import Conflict, Fatal, Retryable, Terminal
from reactor.kube.connection import MERGE_PATCH, Response
from reactor.kube.discovery import Newest
from reactor.kube.requests import Requests
from reactor.model import serviceprofile, trafficsplit
from reactor.model.decode import parse_object
from reactor.model.meta import Meta
from reactor.model.meta import decode as meta_of
from reactor.model.serviceprofile import ServiceProfile
from reactor.replay.bodies import encode, manifest, merge_patch
from reactor.replay.step import Step

_TRIES: Final = 4
_AGAIN: Final = 0.5
"""Seconds between two tries of what an API server couldn't do just then."""
_LOOK: Final = 0.1
"""Seconds between two looks at the server's clock."""
_PROFILES: Final = f"{serviceprofile.GROUP}/{serviceprofile.VERSION}"
_KINDS: Final = {"trafficsplits": "TrafficSplit", "serviceprofiles": "ServiceProfile"}


class Stage:
    """Does steps, as the field manager that did them first.

    A namespace that is missing is made. Services are made when they are missing, and only those
    made here are removed again.
    """

    def __init__(self, *, connection: Requests, splits: str) -> None:
        self._connection = connection
        self._versions = {"trafficsplits": splits, "serviceprofiles": _PROFILES}
        self._namespaces: set[str] = set()
        self._services: set[tuple[str, str]] = set()
        self._standing: dict[tuple[str, str], tuple[Step, str]] = {}

    @classmethod
    async def open(cls, connection: Requests) -> Stage:
        """Fatal where TrafficSplits aren't served."""
        collection = await Newest(
            connection=connection,
            group=trafficsplit.GROUP,
            plural=trafficsplit.PLURAL,
            versions=trafficsplit.VERSIONS,
        ).path()
        if collection is None:
            raise Fatal("that cluster serves no TrafficSplits: linkerd smi install | kubectl apply")
        return cls(connection=connection, splits=collection.split("/", 2)[2].rpartition("/")[0])

    async def enact(self, step: Step) -> Meta | None:
        """Do it; what the object is then, None when it is gone. Raises ReactorError if refused."""
        await self._namespace(step.namespace)
        if step.resource == "services":
            await self._service(step)
            return None
        if step.after is None:
            self._standing.pop((step.namespace, step.name), None)
            await self._delete(self._path(step))
            return None
        body = manifest(step.after, self._versions[step.resource], _KINDS[step.resource])
        if step.resource == "trafficsplits":
            return await self._split(step, body)
        if step.before is not None:
            return meta_of(await self._patch(step, body))
        return meta_of(await self._put(step, body))

    async def profile(self, namespace: str, name: str) -> ServiceProfile | None:
        """A profile as it is now."""
        path = f"{self._collection('serviceprofiles', namespace)}/{quote(name)}"
        found = await self._find(path)
        return None if found is None else serviceprofile.decode(found)

    async def _split(self, step: Step, body: dict[str, Any]) -> Meta:
        if step.change == "added":
            # Made anew, so that its age and uid are new as they were then.
            await self._delete(self._path(step))
            await self._in_turn(step, body)
        meta = meta_of(await self._put(step, body))
        self._standing[step.namespace, step.name] = (step, meta.created)
        return meta

    async def _in_turn(self, step: Step, body: dict[str, Any]) -> None:
        """Wait until a new split is younger than those that were older than it.

        Of two splits of one service and one second the name decides, which was not so then.
        """
        above = [
            created
            for other, created in self._standing.values()
            if (other.namespace, other.service) == (step.namespace, step.service)
            and other.name > step.name
            and other.created < step.created
        ]
        path = self._collection(step.resource, step.namespace)
        while above:
            answer = await self._ask("POST", path, {"dryRun": "All"}, encode(body))
            if parse_object(answer.body)["metadata"]["creationTimestamp"] > max(above):
                return
            await asyncio.sleep(_LOOK)

    async def _put(self, step: Step, body: dict[str, Any]) -> dict[str, Any]:
        live = await self._find(self._path(step))
        query = {"fieldManager": step.actor}
        if live is None:
            path = self._collection(step.resource, step.namespace)
            return parse_object((await self._ask("POST", path, query, encode(body))).body)
        version = live["metadata"]["resourceVersion"]
        sent = encode({**body, "metadata": {**body["metadata"], "resourceVersion": version}})
        return parse_object((await self._ask("PUT", self._path(step), query, sent)).body)

    async def _patch(self, step: Step, after: dict[str, Any]) -> dict[str, Any]:
        """What someone changed of a profile, whatever the adaptor has made of the rest of it."""
        assert step.before is not None
        before = manifest(step.before, after["apiVersion"], after["kind"])
        change = encode(merge_patch(before, after))
        query = {"fieldManager": step.actor}
        try:
            answer = await self._ask("PATCH", self._path(step), query, change, MERGE_PATCH)
        except Conflict as error:
            if error.status != 404:
                raise
            return await self._put(step, after)
        return parse_object(answer.body)

    async def _delete(self, path: str) -> None:
        try:
            await self._ask("DELETE", path)
        except (Conflict, Terminal) as error:
            if error.status != 404:
                raise

    async def _namespace(self, name: str) -> None:
        if name in self._namespaces:
            return
        if await self._find(f"/api/v1/namespaces/{quote(name)}") is None:
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            await self._ask("POST", "/api/v1/namespaces", None, encode(body))
        self._namespaces.add(name)

    async def _service(self, step: Step) -> None:
        named = step.namespace, step.name
        collection = f"/api/v1/namespaces/{quote(step.namespace)}/services"
        path = f"{collection}/{quote(step.name)}"
        if named in self._services:
            self._services.discard(named)
            await self._delete(path)
        if step.state == "missing" or await self._find(path) is not None:
            return
        spec: dict[str, Any] = {"ports": [{"name": "http", "port": 8080}]}
        if step.state == "headless":
            spec["clusterIP"] = "None"
        body = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": step.name, "namespace": step.namespace},
            "spec": spec,
        }
        await self._ask("POST", collection, None, encode(body))
        self._services.add(named)

    async def _find(self, path: str) -> dict[str, Any] | None:
        try:
            return parse_object((await self._ask("GET", path)).body)
        except Terminal as error:
            if error.status != 404:
                raise
            return None

    async def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str | None = None,
    ) -> Response:
        tries = 0
        while True:
            try:
                return await self._connection.request(
                    method, path, query=query, body=body, content_type=content_type
                )
            except Retryable as error:
                tries += 1
                if tries == _TRIES:
                    raise
                await asyncio.sleep(error.after or _AGAIN)

    def _collection(self, resource: str, namespace: str) -> str:
        return f"/apis/{self._versions[resource]}/namespaces/{quote(namespace)}/{resource}"

    def _path(self, step: Step) -> str:
        return f"{self._collection(step.resource, step.namespace)}/{quote(step.name)}"
