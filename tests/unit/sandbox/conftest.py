"""A sandbox and its administrator's client."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from reactor.sandbox.server import Sandbox
from tests.unit.sandbox.client import Client


@pytest_asyncio.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as sandbox:
        yield sandbox


@pytest_asyncio.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[Client]:
    async with Client.connect(sandbox) as client:
        yield client
