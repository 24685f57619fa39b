"""The first page: every split as it stands."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from tests.browser.chromium import screenshot, tab
from tests.browser.story import MARKUP, NAMESPACE

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_every_split_is_there_and_what_is_not_in_sync_is_marked(
    browser: Browser, url: str
) -> None:
    async with tab(browser) as page:
        await page.goto(f"{url}/?namespace={NAMESPACE}")
        assert await page.get_by_role("heading", level=1).inner_text() == "Splits"
        rollout = page.get_by_role("listitem").filter(has_text="shop/web-rollout")
        assert await rollout.locator(".mark").inner_text() == "in sync"
        second = page.get_by_role("listitem").filter(has_text="shop/web-second")
        assert await second.locator(".mark").inner_text() == "shadowed"
        await screenshot(page, "splits")


async def test_markup_shows_as_text_and_does_nothing(browser: Browser, url: str) -> None:
    async with tab(browser) as page:
        await page.goto(url)
        assert await page.get_by_text(MARKUP).count() >= 1
        assert await page.locator("img").count() == 0
