"""The health page."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from tests.browser.chromium import screenshot, tab

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_journal_watches_gaps_and_runs_are_told(browser: Browser, url: str) -> None:
    async with tab(browser) as page:
        await page.goto(url)
        await page.get_by_role("link", name="Health").click()
        text = await page.locator("main").inner_text()
        for said in ("every row is kept", "30 days", "1,024 MiB", "None: everything", "not yet"):
            assert said in text
        for resource in ("serviceprofiles", "services", "trafficsplits"):
            assert await page.get_by_role("rowheader", name=resource, exact=True).count() == 1
        await screenshot(page, "health")
