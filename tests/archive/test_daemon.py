"""The whole adaptor with an archive: it ships, says how it stands, and shows no password."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest
import pytest_asyncio

from reactor.audit.archive import shipper as shipping_module
from reactor.sandbox.server import Sandbox
from tests.archive.postgres import PASSWORD, Postgres
from tests.archive.shipping import assert_the_same, until
from tests.cluster.api import TRAFFICSPLITS, Api
from tests.cluster.crds import traffic_split_crd
from tests.cluster.prepare import apply_definitions
from tests.contract.adaptor import Adaptor


@pytest_asyncio.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox() as found:
        yield found


async def test_the_adaptor_ships_its_log_and_decides_without_the_archive_too(
    postgres: Postgres,
    empty: str,
    sandbox: Sandbox,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shipping_module, "LONGEST", 0.5)
    caplog.set_level(logging.DEBUG)
    kubeconfig = sandbox.write_kubeconfig(tmp_path / "kubeconfig")
    flags = (f"-archive-url={postgres.url(empty)}", "-cluster-name=one", "-leader-elect=false")
    adaptor = Adaptor(kubeconfig=kubeconfig, directory=tmp_path, flags=(*flags, "-admin-auth=none"))
    async with Api.connect(kubeconfig) as api:
        await apply_definitions(api, traffic_split_crd())
        await adaptor.start()
        try:
            shipper = adaptor.daemon.parts.shipper
            assert shipper is not None
            await until(lambda: shipper.trouble is None)
            assert await told(adaptor, "/ready") == "ok\n"
            await asyncio.to_thread(postgres.stop)
            await api.create(TRAFFICSPLITS, split("web"), "default")
            await adaptor.idle()
            await until(lambda: shipper.trouble is not None)
            assert "local; archive-lacks-rows=" in await source(adaptor, "/api/v1/entries")
            rows = msgspec.json.decode(await told(adaptor, "/api/v1/entries?split=web"))
            assert rows["entries"]
            assert "but: the archive lacks" in await told(adaptor, "/ready")
            assert "smi_adaptor_archive_reachable 0.0" in await told(adaptor, "/metrics")
            await asyncio.to_thread(postgres.start)
            await until(lambda: shipper.trouble is None and shipper.lag_rows == 0)
            rows = msgspec.json.decode(await told(adaptor, "/api/v1/entries?split=web"))
            assert rows["entries"]
            assert "archive" in await source(adaptor, "/api/v1/entries")
            metrics = await told(adaptor, "/metrics")
            assert "smi_adaptor_archive_reachable 1.0" in metrics
            assert "smi_adaptor_archive_lost_rows_total 0.0" in metrics
        finally:
            await adaptor.stop()
    # The `stopped` row too: the last seconds of a pod would go with its volume.
    await assert_the_same(postgres, empty, adaptor.log_file)
    ((settings,),) = await postgres.fetch(empty, "SELECT settings FROM runs")
    assert msgspec.json.decode(settings)["archive-url"].startswith("postgresql+asyncpg://adaptor:")
    assert PASSWORD not in settings
    assert PASSWORD not in caplog.text


def split(name: str) -> dict[str, object]:
    return {
        "apiVersion": "split.smi-spec.io/v1alpha1",
        "kind": "TrafficSplit",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"service": name, "backends": [{"service": "a", "weight": 1}]},
    }


async def told(adaptor: Adaptor, path: str) -> str:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{adaptor.daemon.port}{path}") as answer,
    ):
        return await answer.text()


async def source(adaptor: Adaptor, path: str) -> str:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{adaptor.daemon.port}{path}") as answer,
    ):
        return answer.headers["X-Log-Source"]
