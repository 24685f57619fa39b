"""The story on the pages, read in Chromium."""

from __future__ import annotations

from playwright.async_api import Browser, Page

from tests.browser.chromium import DESK, screenshot, tab
from tests.browser.test_entry import FOLLOWED
from tests.story.plot import NAMESPACE, SECOND, SPLIT
from tests.story.scene import Scene

SHOWN = ("splits", "timeline", "entry", "health")
"""The pictures that docs/ shows, in build/screenshots with `story-` before their names."""


async def follow(browser: Browser, told: Scene) -> None:
    """From signing in to who made the bad edit, and what became of it."""
    async with tab(browser, ignored=["401 (Unauthorized)"]) as page:
        await page.goto(f"{told.adaptor.url}/")
        await page.get_by_label("Bearer token").fill(told.token)
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_url(f"{told.adaptor.url}/")
        standing = page.get_by_role("listitem").filter(has_text=f"{NAMESPACE}/{SECOND}")
        assert await standing.locator(".mark").inner_text() == "in sync"
        await page.set_viewport_size({"width": 1200, "height": 600})
        await screenshot(page, "story-splits", whole=False)
        await page.set_viewport_size(DESK)
        await _the_deleted_split(page, told)
        await page.get_by_role("link", name="Health").click()
        assert "every row is kept" in await page.locator("main").inner_text()
        await screenshot(page, "story-health")


async def _the_deleted_split(page: Page, told: Scene) -> None:
    await page.goto(f"{told.adaptor.url}/splits/{NAMESPACE}/{SPLIT}")
    changes = page.locator(".change")
    told_by = [await changes.nth(n).get_by_role("heading").inner_text() for n in range(7)]
    for said, who in zip(
        told_by,
        ("unknown", "flagger", "kubectl-edit", "flagger", "flagger", "flagger", "kubectl-client"),
        strict=True,
    ):
        assert who in said
    bad = changes.nth(2)
    row = bad.get_by_role("row").filter(has_text="failing-svc")
    before, after = await row.get_by_role("cell").all_inner_texts()
    assert before.startswith("500 ")
    assert after.startswith("5000 ")
    await screenshot(page, "story-timeline", whole=False)
    await bad.get_by_role("link", name="entry").click()
    assert "observed" in await page.get_by_role("heading", level=1).inner_text()
    followed = page.get_by_role("table", name=FOLLOWED)
    assert await followed.get_by_role("row").filter(has_text="translated").count() >= 1
    await screenshot(page, "story-entry", whole=False)
