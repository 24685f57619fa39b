"""A small Kubernetes client for tests: dicts in, dicts out, any kubeconfig.

It serves the real API server and the sandbox alike, so it uses only what both must have.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import aiohttp

from tests.cluster.kubeconfig import Kubeconfig
from tests.cluster.resources import (
    CRDS,
    ENDPOINTSLICES,
    EVENTS,
    LEASES,
    NAMESPACES,
    SERVICEPROFILES,
    SERVICES,
    TRAFFICSPLITS,
    Resource,
)

__all__ = [
    "CRDS",
    "ENDPOINTSLICES",
    "EVENTS",
    "LEASES",
    "NAMESPACES",
    "SERVICEPROFILES",
    "SERVICES",
    "TRAFFICSPLITS",
    "Api",
    "ApiError",
    "Object",
    "Objects",
    "Resource",
]

Object = dict[str, Any]
Objects = list[Object]
_Last = list[Object | None]
PatchKind = Literal["merge", "json", "strategic", "apply"]

_PATCH_TYPES: Mapping[PatchKind, str] = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}


class ApiError(Exception):
    """The API server's refusal: its HTTP status and its Status object."""

    def __init__(self, status: int, body: Object, request: str) -> None:
        super().__init__(f"{request}: {status} {body.get('message', body)}")
        self.status = status
        self.body = body
        self.reason = str(body.get("reason", ""))


class Api:
    """Requests as one user. Every method raises ApiError for an answer above 399."""

    def __init__(self, *, session: aiohttp.ClientSession, config: Kubeconfig) -> None:
        self._session = session
        self._config = config

    @classmethod
    @asynccontextmanager
    async def connect(cls, kubeconfig: Path, *, token: str | None = None) -> AsyncIterator[Api]:
        """Opens a session for the kubeconfig's current context, or for another token."""
        config = Kubeconfig.read(kubeconfig)
        bearer = token if token is not None else config.token
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5.0)
        async with aiohttp.ClientSession(
            connector=connector, headers=headers, timeout=timeout
        ) as session:
            yield cls(session=session, config=config)

    async def request(
        self,
        method: str,
        path: str,
        *,
        json_body: object = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> tuple[int, Object]:
        """Any request, any answer: the status and the decoded body ({"text": ...} if not JSON)."""
        sent = {"Accept": "application/json", **(headers or {})}
        data: str | None = None
        if json_body is not None:
            sent.setdefault("Content-Type", "application/json")
            data = json.dumps(json_body)
        async with self._session.request(
            method,
            self._config.server + path,
            data=data,
            headers=sent,
            params=params,
            ssl=self._config.ssl,
        ) as answer:
            text = await answer.text()
        try:
            body = json.loads(text)
        except ValueError:
            return answer.status, {"text": text}
        return answer.status, body if isinstance(body, dict) else {"text": text}

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Object:
        """One object."""
        return await self._ok("GET", resource.path(namespace, name))

    async def find(
        self, resource: Resource, name: str, namespace: str | None = None
    ) -> Object | None:
        """One object, or None if there is none."""
        try:
            return await self.get(resource, name, namespace)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def list(self, resource: Resource, namespace: str | None = None, **query: str) -> Object:
        """The List object; `query` takes limit, continue, labelSelector and the like."""
        return await self._ok("GET", resource.path(namespace), params=query)

    async def items(
        self, resource: Resource, namespace: str | None = None, **query: str
    ) -> Objects:
        """The objects of a list."""
        found: Objects = (await self.list(resource, namespace, **query))["items"]
        return found

    async def create(
        self,
        resource: Resource,
        body: Object,
        namespace: str | None = None,
        *,
        field_manager: str = "tests",
    ) -> Object:
        """Creates; the namespace defaults to the one in the object's metadata."""
        where = resource.path(namespace or body.get("metadata", {}).get("namespace"))
        return await self._ok("POST", where, json_body=body, params={"fieldManager": field_manager})

    async def replace(
        self,
        resource: Resource,
        body: Object,
        namespace: str | None = None,
        *,
        field_manager: str = "tests",
        subresource: str | None = None,
    ) -> Object:
        """Puts the whole object."""
        metadata = body["metadata"]
        where = resource.path(namespace or metadata.get("namespace"), metadata["name"])
        return await self._ok(
            "PUT",
            _with(where, subresource),
            json_body=body,
            params={"fieldManager": field_manager},
        )

    async def patch(
        self,
        resource: Resource,
        name: str,
        body: object,
        namespace: str | None = None,
        *,
        kind: PatchKind = "merge",
        field_manager: str = "tests",
        subresource: str | None = None,
    ) -> Object:
        """Patches; `kind` says which of the API's patch types the body is."""
        return await self._ok(
            "PATCH",
            _with(resource.path(namespace, name), subresource),
            json_body=body,
            headers={"Content-Type": _PATCH_TYPES[kind]},
            params={"fieldManager": field_manager},
        )

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        options: Object | None = None,
    ) -> Object:
        """Deletes one object; `options` is a DeleteOptions body (preconditions and so on)."""
        return await self._ok("DELETE", resource.path(namespace, name), json_body=options)

    async def delete_all(self, resource: Resource, namespace: str) -> None:
        """Deletes what a namespace holds of a kind; a kind that is not served holds nothing."""
        try:
            await self._ok("DELETE", resource.path(namespace))
        except ApiError as error:
            if error.status != 404:
                raise

    async def ensure(self, *documents: Object) -> None:
        """Creates each manifest, or merges it into the object that is there."""
        for document in documents:
            resource = await self.resource_of(document)
            try:
                await self.create(resource, document)
            except ApiError as error:
                if error.status != 409:
                    raise
                metadata = document["metadata"]
                await self.patch(resource, metadata["name"], document, metadata.get("namespace"))

    async def resource_of(self, document: Object) -> Resource:
        """Where a manifest belongs, by discovery."""
        group, _, version = str(document["apiVersion"]).rpartition("/")
        served = await self._ok("GET", f"/apis/{group}/{version}" if group else f"/api/{version}")
        for entry in served["resources"]:
            if entry["kind"] == document["kind"] and "/" not in entry["name"]:
                return Resource(group, version, entry["name"], entry["namespaced"])
        raise LookupError(f"{document['apiVersion']} serves no {document['kind']}")

    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str | None = None,
        **query: str,
    ) -> AsyncGenerator[Object, None]:
        """Watch events as they come ({"type", "object"}), until the server ends the stream.

        Close it (`contextlib.aclosing`) when you leave early: the connection is held open.
        """
        params = {"watch": "true", **query}
        if resource_version is not None:
            params["resourceVersion"] = resource_version
        async with self._session.get(
            self._config.server + resource.path(namespace),
            params=params,
            headers={"Accept": "application/json"},
            ssl=self._config.ssl,
        ) as answer:
            if answer.status > 399:
                raise ApiError(answer.status, _status(await answer.text()), f"watch {resource}")
            pending = b""
            async for chunk in answer.content.iter_any():
                *lines, pending = (pending + chunk).split(b"\n")
                for line in lines:
                    yield json.loads(line)

    async def wait_for(
        self,
        resource: Resource,
        name: str,
        namespace: str | None,
        condition: Callable[[Object | None], object],
        *,
        timeout: float = 45.0,
    ) -> Object | None:
        """The object (None while there is none) as soon as the condition holds for it.

        Raises TimeoutError, with the object last seen, after `timeout` seconds.
        """
        last: _Last = [None]
        try:
            async with asyncio.timeout(timeout):
                while True:
                    found = await self._watch_until(resource, name, namespace, condition, last)
                    if found:
                        return last[0]
        except TimeoutError as error:
            raise TimeoutError(
                f"{resource.plural} {namespace}/{name} after {timeout} s: {last[0]}"
            ) from error

    async def _watch_until(
        self,
        resource: Resource,
        name: str,
        namespace: str | None,
        condition: Callable[[Object | None], object],
        last: _Last,
    ) -> bool:
        selector = {"fieldSelector": f"metadata.name={name}"}
        listed = await self.list(resource, namespace, **selector)
        # The sandbox may ignore the selector: names are compared here too.
        named = [item for item in listed["items"] if item["metadata"]["name"] == name]
        last[0] = named[0] if named else None
        if condition(last[0]):
            return True
        version = listed["metadata"]["resourceVersion"]
        watched = self.watch(resource, namespace, resource_version=version, **selector)
        async with aclosing(watched) as events:
            async for event in events:
                if event["type"] == "ERROR":
                    return False
                if event["type"] == "BOOKMARK" or event["object"]["metadata"]["name"] != name:
                    continue
                last[0] = None if event["type"] == "DELETED" else event["object"]
                if condition(last[0]):
                    return True
        return False

    async def _ok(
        self,
        method: str,
        path: str,
        *,
        json_body: object = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Object:
        status, body = await self.request(
            method, path, json_body=json_body, headers=headers, params=params
        )
        if status > 399:
            raise ApiError(status, body, f"{method} {path}")
        return body


def _with(path: str, subresource: str | None) -> str:
    return path if subresource is None else f"{path}/{subresource}"


def _status(text: str) -> Object:
    try:
        body = json.loads(text)
    except ValueError:
        return {"message": text}
    return body if isinstance(body, dict) else {"message": text}
