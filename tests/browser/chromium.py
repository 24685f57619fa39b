"""Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

EXECUTABLE = Path("/usr/bin/chromium")
SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
DESK: Any = {"width": 1200, "height": 900}
PHONE: Any = {"width": 360, "height": 740}
PATIENCE = 45_000
"""Milliseconds that a page has on a busy machine."""
_QUIET = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--disable-gpu",
)


def require() -> None:
    """Skip loudly without Chromium; where CI=true, fail."""
    if EXECUTABLE.exists():
        return
    reason = "NO BROWSER TESTS: install Debian's package chromium"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser with a profile of its own, gone with it."""
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=EXECUTABLE, args=list(_QUIET), headless=True
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def tab(
    browser: Browser, *, ignored: Sequence[str] = (), ports: int = 1, **options: Any
) -> AsyncIterator[Page]:
    """A tab of a fresh session; fails when a page complained, or asked for another address.

    ``ignored``: the statuses of answers that the test is about, as a complaint about one ends.
    ``ports``: how many addresses the test itself goes to.
    """
    context = await browser.new_context(**{"viewport": DESK, **options})
    page = await context.new_page()
    page.set_default_timeout(PATIENCE)
    complaints: list[str] = []
    expected = tuple(f"a status of {status}" for status in ignored)
    hosts: set[str] = set()

    def said(message: ConsoleMessage) -> None:
        # A violated Content-Security-Policy is said here too.
        if message.type in ("error", "warning") and not message.text.endswith(expected):
            complaints.append(f"{page.url}: {message.text}")

    page.on("console", said)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: hosts.add(request.url.partition("//")[2].partition("/")[0]))
    try:
        yield page
    finally:
        await context.close()
    assert complaints == []
    assert len(hosts) <= ports, hosts


async def screenshot(page: Page, name: str, *, whole: bool = True) -> None:
    """Keep how the page looks, whole or as far as the window shows it, as a file of this name."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=whole)


async def fits(page: Page) -> bool:
    """Whether the page is no wider than its window."""
    script = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    return bool(await page.evaluate(script))
