"""Every page with a keyboard, on a phone, in the dark, and for who wants nothing to move."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page
from prometheus_client import CollectorRegistry

from reactor.admin.server import Server
from reactor.audit.feed import Feed
from tests.browser import reading
from tests.browser.chromium import DESK, PHONE, fits, screenshot, tab
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
REFUSED = ("400 (Bad Request)", "404 (Not Found)", "401 (Unauthorized)")
every_page = pytest.mark.parametrize("opened", PATHS, indirect=True)


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


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def window(browser: Browser) -> AsyncIterator[Page]:
    """One for all pages: to open it takes longer than to look at a page."""
    async with tab(browser, ignored=REFUSED, ports=2) as page:
        yield page


@pytest_asyncio.fixture(loop_scope="package")
async def opened(
    window: Page, url: str, guarded: str, request: pytest.FixtureRequest
) -> AsyncIterator[Page]:
    """The page of the parameter, on a desk and by day unless the test wants it otherwise."""
    name = request.param
    await window.goto((guarded if name == "sign-in" else url) + PATHS[name])
    if name == "entry":
        await window.locator("table.rows tbody a").first.click()
        await window.wait_for_url("**/entries/**")
    yield window
    await window.emulate_media(color_scheme="light")
    await window.set_viewport_size(DESK)


@every_page
async def test_tab_comes_by_everything_in_order_and_shows_where_it_is(opened: Page) -> None:
    walk = await reading.walk(opened)
    assert walk.passed == walk.expected
    assert walk.ringless == []
    skip = opened.locator(".skip")
    if await skip.count():
        await skip.focus()
        await opened.keyboard.press("Enter")
        assert await opened.locator(":focus").get_attribute("id") == "main"


@every_page
async def test_a_phone_shows_all_of_it_and_a_finger_hits_it(opened: Page) -> None:
    await opened.set_viewport_size(PHONE)
    assert await fits(opened)
    assert await reading.unreadable(opened) == []
    assert await reading.small(opened) == []


@every_page
async def test_text_and_bars_stand_out_by_day_and_in_the_dark(
    opened: Page, request: pytest.FixtureRequest
) -> None:
    await opened.set_viewport_size(PHONE)
    assert await reading.faint(opened) == []
    await opened.emulate_media(color_scheme="dark")
    assert await reading.faint(opened) == []
    await screenshot(opened, f"{request.node.callspec.params['opened']}-phone-dark")


@pytest.mark.parametrize(("wish", "moving"), [("reduce", "none"), ("no-preference", "arrive")])
async def test_a_new_entry_moves_unless_that_is_not_wanted(
    window: Page, url: str, wish: Any, moving: str
) -> None:
    await window.emulate_media(reduced_motion=wish)
    await window.goto(f"{url}/log?limit=1")
    row = window.locator("table.rows tbody tr")
    assert moving == await row.evaluate(
        "row => { row.classList.add('new'); return getComputedStyle(row).animationName; }"
    )


async def test_filters_are_opened_and_sent_with_the_keyboard_alone(window: Page, url: str) -> None:
    await window.goto(f"{url}/log?limit=4")
    await window.locator("summary").focus()
    await window.keyboard.press("Space")
    await window.keyboard.press("Tab")
    await window.keyboard.type("web")
    await window.keyboard.press("Enter")
    await window.wait_for_url("**/log?*service=web*")
    await window.get_by_role("button", name="Filter").focus()
    async with window.expect_navigation():
        await window.keyboard.press("Space")
    await window.get_by_role("link", name="Live view").focus()
    await window.keyboard.press("Enter")
    await window.wait_for_url("**live=1*")
