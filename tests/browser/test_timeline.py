"""A split's page: change by change, and its weights over time."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.browser.chromium import PHONE, fits, screenshot, tab
from tests.browser.story import LONG, MARKUP, NAMESPACE, ODD, STEPS

pytestmark = pytest.mark.asyncio(loop_scope="package")
PATH = f"/splits/{NAMESPACE}/web-rollout"


async def test_every_change_is_shown_with_before_and_after_side_by_side(
    browser: Browser, url: str
) -> None:
    async with tab(browser) as page:
        await page.goto(url)
        await page.get_by_role("link", name="shop/web-rollout").click()
        await page.wait_for_url(url + PATH)
        changes = page.locator(".change")
        assert await changes.count() == len(STEPS) + 1
        newest = changes.first
        assert "modified by dave" in await newest.get_by_role("heading").inner_text()
        row = newest.get_by_role("row").filter(has_text="web-v2")
        before, after = await row.get_by_role("cell").all_inner_texts()
        assert before.startswith("500 50")
        assert after.startswith("1000 100")
        assert "patched" in await newest.locator(".facts").inner_text()
        assert await newest.locator(".stages tbody tr").count() == 4
        await screenshot(page, "timeline")
        # Copied to docs/pictures by hand when the page changes.
        await screenshot(page, "timeline-window", whole=False)


async def test_the_chart_steps_where_the_weights_changed(browser: Browser, url: str) -> None:
    async with tab(browser) as page:
        await page.goto(url + PATH)
        chart = page.get_by_role("img", name="Each backend's share")
        assert await chart.locator("g.series").count() == 2
        assert await chart.locator("g.series").first.locator("circle").count() == len(STEPS) + 1
        await expect(page.locator(".legend li")).to_have_text(["web-v1 0 %", "web-v2 100 %"])


async def test_earlier_changes_are_a_link_away(browser: Browser, url: str) -> None:
    async with tab(browser) as page:
        await page.goto(f"{url}{PATH}?limit=3")
        assert await page.locator(".change").count() == 3
        await page.get_by_role("link", name="Earlier changes").click()
        await expect(page.locator(".change")).to_have_count(len(STEPS) + 1 - 3)
        assert "added by tests" in await page.locator(".change h3").last.inner_text()


async def test_a_phone_shows_a_name_of_any_length(browser: Browser, url: str) -> None:
    async with tab(browser, viewport=PHONE) as page:
        await page.goto(f"{url}/splits/{ODD}/{LONG}")
        assert await page.locator(".change").count() == 1
        assert await fits(page)
        await screenshot(page, "timeline-long-phone")


async def test_an_author_with_markup_in_his_name_is_shown_as_text(
    browser: Browser, url: str
) -> None:
    async with tab(browser) as page:
        await page.goto(f"{url}/splits/{NAMESPACE}/typo")
        assert MARKUP in await page.locator(".change h3").inner_text()
        assert "never: it names no Service" in await page.locator(".facts").inner_text()
        assert await page.locator("main img").count() == 0
