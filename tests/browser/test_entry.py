"""An entry in full, with the way to what led to it and what followed."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from tests.browser.chromium import PHONE, fits, screenshot, tab
from tests.browser.story import MARKUP, NAMESPACE

pytestmark = pytest.mark.asyncio(loop_scope="package")
FOLLOWED = "What followed: the service's entries after"
LED = "What led here: the service's entries before"
TOGETHER = "The same reconciliation: decision and outcome"


async def test_from_a_change_to_its_decision_to_its_outcome_and_back(
    browser: Browser, url: str
) -> None:
    async with tab(browser) as page:
        await page.goto(f"{url}/splits/{NAMESPACE}/web-rollout")
        await page.locator(".change").nth(1).get_by_role("link", name="entry").click()
        assert await page.get_by_role("heading", level=1).inner_text() == (
            f"Entry {page.url.rpartition('/')[2]}: observed"
        )
        followed = page.get_by_role("table", name=FOLLOWED).get_by_role("row")
        decision = followed.filter(has=page.get_by_role("cell", name="translated")).first
        await decision.get_by_role("link").first.click()
        together = page.get_by_role("table", name=TOGETHER).get_by_role("row")
        await together.filter(has_text="synced").get_by_role("link").first.click()
        assert "synced" in await page.get_by_role("heading", level=1).inner_text()
        assert '"durations": {' in await page.get_by_label("Detail as JSON").inner_text()
        led = page.get_by_role("table", name=LED).get_by_role("row")
        assert await led.filter(has_text="carol").count() >= 1
        await screenshot(page, "entry")


async def test_a_documents_markup_is_shown_as_text(browser: Browser, url: str) -> None:
    async with tab(browser, viewport=PHONE, color_scheme="dark") as page:
        await page.goto(f"{url}/splits/{NAMESPACE}/typo")
        await page.get_by_role("link", name="entry").first.click()
        document = await page.get_by_label("TrafficSplit typo as JSON").inner_text()
        assert f"</pre><script>alert(2)</script>{MARKUP}" in document
        assert await page.locator("main script, main img").count() == 0
        assert await fits(page)
        await screenshot(page, "entry-markup-phone-dark")
