"""A bare HTTP client of the sandbox, and short documents."""

from __future__ import annotations

import asyncio
import io
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from reactor.sandbox.server import Sandbox

Document = dict[str, Any]
SPLITS = "/apis/split.smi-spec.io/v1alpha2/namespaces/default/trafficsplits"
PROFILES = "/apis/linkerd.io/v1alpha2/namespaces/default/serviceprofiles"
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
MERGE = "application/merge-patch+json"


def split(name: str, *, service: str = "web", weight: object = 1, **metadata: Any) -> Document:
    return {
        "apiVersion": "split.smi-spec.io/v1alpha2",
        "kind": "TrafficSplit",
        "metadata": {"name": name, "namespace": "default", **metadata},
        "spec": {"service": service, "backends": [{"service": "a", "weight": weight}]},
    }


def configmap(name: str, namespace: str = "default", **fields: Any) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        **fields,
    }


class Stream:
    """An open watch."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def event(self) -> Document:
        """The next event. Raises EOFError when the stream ends in good order."""
        async with asyncio.timeout(45):
            line = await self._response.content.readline()
        if not line:
            raise EOFError
        found: Document = json.loads(line)
        return found

    async def brief(self) -> tuple[str, str]:
        """The next event's type and name."""
        event = await self.event()
        return event["type"], event["object"]["metadata"].get("name", "")

    async def rest(self) -> bytes:
        async with asyncio.timeout(45):
            return await self._response.content.read()


class Client:
    """Requests to one sandbox as one user."""

    def __init__(self, *, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    @classmethod
    @asynccontextmanager
    async def connect(cls, sandbox: Sandbox, token: str | None = None) -> AsyncIterator[Client]:
        context = ssl.create_default_context(cadata=sandbox.authority.decode())
        token = sandbox.token if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        connector = aiohttp.TCPConnector(ssl=context, limit=0)
        async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
            yield cls(session=session, url=sandbox.url)

    async def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        kind: str = "application/json",
        accept: str = "application/json",
        **query: str,
    ) -> tuple[int, Document]:
        """The status and the decoded body; plain text as {"text": ...}."""
        async with self._session.request(
            method,
            self._url + path,
            data=None if body is None else io.BytesIO(json.dumps(body).encode()),
            headers={"Content-Type": kind, "Accept": accept},
            params=query,
        ) as response:
            text = await response.text()
        try:
            found: Document = json.loads(text)
        except ValueError:
            found = {"text": text}
        return response.status, found

    async def get(self, path: str, **query: str) -> tuple[int, Document]:
        return await self.send("GET", path, **query)

    async def create(self, path: str, body: Document, **query: str) -> Document:
        status, found = await self.send("POST", path, body, **query)
        assert status == 201, found
        return found

    async def merge(self, path: str, body: Document, **query: str) -> tuple[int, Document]:
        return await self.send("PATCH", path, body, kind=MERGE, **query)

    @asynccontextmanager
    async def watch(self, path: str, **query: str) -> AsyncIterator[Stream]:
        async with self._session.get(
            self._url + path, params={"watch": "true", **query}
        ) as response:
            assert response.status == 200, await response.text()
            yield Stream(response)
