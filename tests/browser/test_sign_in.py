"""Signing in with a token that the API server knows, and out again."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.browser.chromium import PHONE, fits, screenshot, tab
from tests.browser.reading import small
from tests.contract.cluster import Cluster
from tests.contract.test_admin_access import a_role_that_may_read, token_of_a_stranger

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_token_is_asked_for_once_and_never_shown(
    browser: Browser, cluster: Cluster
) -> None:
    adaptor = await cluster.adaptor("-admin-auth=token", log="secured").start()
    home = f"http://127.0.0.1:{adaptor.daemon.port}"
    token = token_of_a_stranger(cluster)
    try:
        async with tab(browser, viewport=PHONE, ignored=["401 (Unauthorized)"]) as page:
            await page.goto(f"{home}/log?kind=started")
            await screenshot(page, "sign-in-phone")
            assert await fits(page)
            field = page.get_by_label("Bearer token")
            await field.fill("made-up-secret")
            await page.get_by_role("button", name="Sign in").click()
            await expect(page.get_by_role("alert")).to_contain_text("does not know this token")
            assert "made-up-secret" not in await page.content()
            async with a_role_that_may_read(cluster):
                await field.fill(token)
                await page.get_by_role("button", name="Sign in").click()
                await page.wait_for_url(f"{home}/log?kind=started")
                assert token not in await page.content()
                assert await fits(page)
                assert await small(page) == []
                (cookie,) = await page.context.cookies()
                assert cookie["httpOnly"]
                assert cookie["sameSite"] == "Strict"
                assert cookie["expires"] == -1
                assert token not in cookie["value"]
                await page.get_by_role("link", name="Live view").click()
                await expect(page.get_by_role("status")).to_have_text("Live: waiting for entries.")
                await page.get_by_role("button", name="Sign out").click()
                await page.wait_for_url(f"{home}/sign-in")
                assert await page.context.cookies() == []
                await page.goto(home)
                assert await page.get_by_label("Bearer token").count() == 1
    finally:
        await adaptor.stop()
        cluster.adaptors.remove(adaptor)
