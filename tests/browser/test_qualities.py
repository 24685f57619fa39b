"""Every page with a keyboard, on a phone, in the dark, and for who wants nothing to move."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page
from prometheus_client import CollectorRegistry

from reactor.admin.server import Server
from reactor.audit.feed import Feed
from tests.browser import reading
from tests.browser.chromium import PHONE, fits, screenshot, tab
from tests.browser.story import MANY, NAMESPACE
from tests.unit.admin.parts import RUN, MemoryLog, NoSplits, Reasons, Tokens

pytestmark = pytest.mark.asyncio(loop_scope="package")
PATHS = {
    "splits": "/",
    "timeline": f"/splits/{NAMESPACE}/{MANY}",
    "entry": f"/log?kind=synced&outcome=failed&namespace={NAMESPACE}",
    "log": f"/log?kind=translated&namespace={NAMESPACE}&service=web&limit=2",
    "live": "/log?live=1&kind=synced&limit=2",
    "health": "/health",
    "wrong": "/log?since=yesterday&kind=odd&actor=%C3%A4&limit=0",
    "missing": f"/entries/{RUN}/1",
    "sign-in": "/",
}
STATUS = {
    "wrong": "400 (Bad Request)",
    "missing": "404 (Not Found)",
    "sign-in": "401 (Unauthorized)",
}
every_page = pytest.mark.parametrize("name", PATHS)


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def guarded() -> AsyncIterator[str]:
    """A port that knows no token."""
    server = Server(
        address="127.0.0.1:0",
        readiness=Reasons(),
        registry=CollectorRegistry(),
        log=MemoryLog(),
        feed=Feed(log=MemoryLog()),
        splits=NoSplits(),
        reviewer=Tokens({}),
    )
    await server.start()
    yield f"http://127.0.0.1:{server.port}"
    await server.stop()


async def opened(page: Page, name: str, *, url: str, guarded: str) -> None:
    """Go there."""
    await page.goto((guarded if name == "sign-in" else url) + PATHS[name])
    if name == "entry":
        await page.locator("table.rows tbody a").first.click()
        await page.wait_for_url("**/entries/**")


@every_page
async def test_tab_comes_by_everything_in_order_and_shows_where_it_is(
    browser: Browser, url: str, guarded: str, name: str
) -> None:
    async with tab(browser, ignored=STATUS.get(name, "")) as page:
        await opened(page, name, url=url, guarded=guarded)
        walk = await reading.walk(page)
        assert walk.passed == walk.expected
        assert walk.ringless == []
        # Round again: nothing holds the focus.
        for _ in range(2):
            await page.keyboard.press("Tab")
        if (skip := page.locator(".skip")) and await skip.count():
            await skip.focus()
            await page.keyboard.press("Enter")
            assert await page.locator(":focus").get_attribute("id") == "main"


@every_page
async def test_a_phone_shows_all_of_it_and_a_finger_hits_it(
    browser: Browser, url: str, guarded: str, name: str
) -> None:
    async with tab(browser, ignored=STATUS.get(name, ""), viewport=PHONE) as page:
        await opened(page, name, url=url, guarded=guarded)
        assert await fits(page)
        assert await reading.unreadable(page) == []
        assert await reading.small(page) == []


@every_page
async def test_text_and_bars_stand_out_by_day_and_in_the_dark(
    browser: Browser, url: str, guarded: str, name: str
) -> None:
    options = {"viewport": PHONE, "color_scheme": "dark"}
    async with tab(browser, ignored=STATUS.get(name, ""), **options) as page:
        await opened(page, name, url=url, guarded=guarded)
        await screenshot(page, f"{name}-phone-dark")
        assert await reading.faint(page) == []
        await page.emulate_media(color_scheme="light")
        assert await reading.faint(page) == []


@pytest.mark.parametrize(("wish", "moving"), [("reduce", "none"), ("no-preference", "arrive")])
async def test_a_new_entry_moves_unless_that_is_not_wanted(
    browser: Browser, url: str, wish: str, moving: str
) -> None:
    async with tab(browser, reduced_motion=wish) as page:
        await page.goto(f"{url}/log?limit=1")
        row = page.locator("table.rows tbody tr")
        assert (
            await row.evaluate(
                "row => { row.classList.add('new'); return getComputedStyle(row).animationName; }"
            )
            == moving
        )


async def test_filters_are_opened_and_sent_with_the_keyboard_alone(
    browser: Browser, url: str
) -> None:
    async with tab(browser) as page:
        await page.goto(f"{url}/log?limit=4")
        await page.locator("summary").focus()
        await page.keyboard.press("Space")
        await page.keyboard.press("Tab")
        await page.keyboard.type("web")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/log?*service=web*")
        await page.get_by_role("button", name="Filter").focus()
        async with page.expect_navigation():
            await page.keyboard.press("Space")
        await page.get_by_role("link", name="Live view").focus()
        await page.keyboard.press("Enter")
        await page.wait_for_url("**live=1*")
