"""The live view beside an archive, which has an entry later than the tail, or is away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Request, expect

from reactor.sandbox.server import Sandbox
from tests.archive.fixtures import new_archive
from tests.archive.postgres import Postgres
from tests.archive.shipping import until
from tests.browser.chromium import tab
from tests.cluster.api import TRAFFICSPLITS, Api
from tests.cluster.crds import traffic_split_crd
from tests.cluster.prepare import apply_definitions
from tests.contract.adaptor import Adaptor

pytestmark = pytest.mark.asyncio(loop_scope="package")
ROWS = "table.rows tbody tr"
DATABASE = "archive_of_the_browser"


async def test_the_live_view_asks_again_until_the_archive_has_the_entry_and_does_without_it(
    browser: Browser, postgres: Postgres, tmp_path: Path
) -> None:
    await new_archive(postgres, DATABASE)
    async with Sandbox() as sandbox:
        kubeconfig = sandbox.write_kubeconfig(tmp_path / "kubeconfig")
        flags = (f"-archive-url={postgres.url(DATABASE)}", "-admin-auth=none")
        adaptor = Adaptor(kubeconfig=kubeconfig, directory=tmp_path, flags=flags)
        async with Api.connect(kubeconfig) as api:
            await apply_definitions(api, traffic_split_crd())
            await adaptor.start()
            try:
                await _watch(browser, adaptor, api, postgres)
            finally:
                await adaptor.stop()


async def _watch(browser: Browser, adaptor: Adaptor, api: Api, postgres: Postgres) -> None:
    shipper = adaptor.daemon.parts.shipper
    assert shipper is not None
    await until(lambda: shipper.trouble is None and shipper.lag_rows == 0)
    asked: list[Request] = []
    async with tab(browser) as page:
        await page.goto(f"http://127.0.0.1:{adaptor.daemon.port}/log?outcome=created&live=1")
        rows, status = page.locator(ROWS), page.get_by_role("status")
        await expect(status).to_have_text("Live: waiting for entries.")
        page.on("request", lambda one: asked.append(one) if "/log?" in one.url else None)
        holder = await postgres.connect(DATABASE)
        try:
            async with holder.transaction():
                # Questions are answered meanwhile, rows have to wait.
                await holder.execute("LOCK TABLE entries IN SHARE ROW EXCLUSIVE MODE")
                await api.create(TRAFFICSPLITS, _split("web"), "default")
                await until(lambda: len(asked) > 1)
                assert await rows.count() == 0
        finally:
            await holder.close()
        await expect(rows).to_have_count(1)
        await expect(status).to_have_text("Live: 1 new entry.")
        await asyncio.to_thread(postgres.stop)
        try:
            await api.create(TRAFFICSPLITS, _split("cart"), "default")
            await expect(status).to_have_text("Live: 2 new entries.")
            await expect(rows).to_have_count(2)
        finally:
            await asyncio.to_thread(postgres.start)


def _split(name: str) -> dict[str, object]:
    return {
        "apiVersion": "split.smi-spec.io/v1alpha1",
        "kind": "TrafficSplit",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"service": name, "backends": [{"service": "a", "weight": 1}]},
    }
