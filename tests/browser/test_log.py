"""The log's page: filters in its address, pages, and the live view."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.browser.chromium import PHONE, fits, screenshot, tab
from tests.browser.story import NAMESPACE, step
from tests.contract.cluster import Cluster

pytestmark = pytest.mark.asyncio(loop_scope="package")
ROWS = "table.rows tbody tr"


async def test_what_is_filtered_is_in_the_address(browser: Browser, url: str) -> None:
    async with tab(browser) as page:
        await page.goto(f"{url}/log")
        assert await fits(page)
        await page.get_by_label("Kind").select_option("synced")
        await page.get_by_label("Split").fill("web-rollout")
        await page.get_by_text("More filters").click()
        await page.get_by_label("Service").fill("web")
        await page.get_by_role("button", name="Filter").click()
        assert "kind=synced" in page.url
        assert "split=web-rollout" in page.url
        assert await page.get_by_label("Service").is_visible()
        assert set(await page.locator(f"{ROWS} [data-label=Kind]").all_inner_texts()) == {"synced"}
        assert await page.get_by_label("Split").input_value() == "web-rollout"
        await screenshot(page, "log")


async def test_pages_lead_on_and_back(browser: Browser, url: str) -> None:
    async with tab(browser) as page:
        await page.goto(f"{url}/log?limit=4&namespace={NAMESPACE}")
        first = await page.locator(ROWS).evaluate_all("rows => rows.map(row => row.id)")
        await page.get_by_role("link", name="Next page").click()
        second = await page.locator(ROWS).evaluate_all("rows => rows.map(row => row.id)")
        assert len(first) == len(second) == 4
        assert not set(first) & set(second)
        await page.get_by_role("link", name="Previous page").click()
        assert await page.locator(ROWS).evaluate_all("rows => rows.map(row => row.id)") == first


async def test_a_wrong_filter_is_named_at_its_field(browser: Browser, url: str) -> None:
    async with tab(browser, ignored=["400 (Bad Request)"]) as page:
        await page.goto(f"{url}/log?since=yesterday")
        field = page.get_by_label("Since")
        assert await field.get_attribute("aria-invalid") == "true"
        await expect(field).to_have_accessible_description(
            "'yesterday' is no time; allowed: RFC 3339 (2021-08-04T11:04:35Z) or relative "
            "(-90s, -30m, -2h, -7d)"
        )


async def test_a_phone_shows_rows_as_cards(browser: Browser, url: str) -> None:
    async with tab(browser, viewport=PHONE) as page:
        await page.goto(f"{url}/log")
        assert await fits(page)
        assert await page.get_by_role("row").count() > 5
        await screenshot(page, "log-phone")


async def test_new_entries_appear_by_themselves_and_each_once(
    browser: Browser, url: str, cluster: Cluster
) -> None:
    (adaptor,) = cluster.adaptors
    async with tab(browser, color_scheme="dark") as page:
        await page.goto(f"{url}/log?kind=synced&service=cart")
        await page.get_by_role("link", name="Live view").click()
        status = page.get_by_role("status")
        await expect(status).to_have_text("Live: waiting for entries.")
        before = await page.locator(ROWS).count()
        held = page.locator(f"{ROWS} a").first
        await held.focus()
        there = await held.get_attribute("href")
        for weight in ("500m", "250m"):
            weights = [("cart-a", weight), ("cart-b", "1")]
            await step(cluster, adaptor, "cart", weights, author="erin")
        await expect(page.locator(ROWS)).to_have_count(before + 2)
        await expect(status).to_have_text("Live: 2 new entries.")
        ids = await page.locator(ROWS).evaluate_all("rows => rows.map(row => row.id)")
        assert len(set(ids)) == len(ids)
        assert await page.locator(":focus").get_attribute("href") == there
        await screenshot(page, "log-live-dark")


async def test_a_live_view_that_is_full_keeps_the_row_that_the_keyboard_stands_on(
    browser: Browser, url: str, cluster: Cluster
) -> None:
    (adaptor,) = cluster.adaptors
    async with tab(browser) as page:
        await page.goto(f"{url}/log?kind=synced&service=cart&live=1")
        status = page.get_by_role("status")
        await expect(status).to_have_text("Live: waiting for entries.")
        await page.locator("table.rows tbody").evaluate(
            """body => {
              const last = body.lastElementChild;
              while (body.rows.length < 500) body.append(last.cloneNode(true));
              body.lastElementChild.querySelector('a').focus();
            }"""
        )
        await step(cluster, adaptor, "cart", [("cart-a", "3"), ("cart-b", "1")], author="erin")
        await expect(status).to_have_text("Live: 1 new entry.")
        assert await page.locator(":focus").count() == 1
        await expect(page.locator(ROWS)).to_have_count(500)
        last = page.locator(ROWS).last
        assert await last.evaluate("row => row.contains(document.activeElement)")


async def test_without_a_script_all_but_the_live_view_works(browser: Browser, url: str) -> None:
    async with tab(browser, java_script_enabled=False) as page:
        await page.goto(f"{url}/log?live=1")
        assert await page.locator(ROWS).count() > 5
        assert "needs a script" in await page.get_by_role("status").inner_text()
        await page.locator(f"{ROWS} a").first.click()
        assert "/entries/" in page.url
