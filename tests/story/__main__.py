"""`python -m tests.story`: tells the story anew, and writes into docs/ what is shown of it."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from pathlib import Path

from tests.archive.postgres import Postgres
from tests.browser import chromium
from tests.cluster import binaries
from tests.story import browser, page, scene
from tests.story.following import followed

PICTURES = page.PAGE.parent / "pictures"
_PAUSE = 4.0
"""Seconds between two changes, so that the pictures have some width."""


def main() -> None:
    """Rewrites the page in place, and its pictures."""
    binaries.ensure(binaries.KUBECTL, binaries.HELM, binaries.KUBELET_STUB)
    postgres = Postgres()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="story-") as folder,
            scene.told(
                Path(folder),
                kubectl=binaries.path_of(binaries.KUBECTL),
                helm=binaries.path_of(binaries.HELM),
                postgres=postgres,
                between=lambda: time.sleep(_PAUSE),
            ) as told,
        ):
            text = page.PAGE.read_text(encoding="utf-8")
            shown = [(line, out) for _, line, out in followed(page.steps(text), told.terminal)]
            page.PAGE.write_text(page.rewritten(text, iter(shown)), encoding="utf-8")
            asyncio.run(_take_pictures(told))
    finally:
        postgres.close()


async def _take_pictures(told: scene.Scene) -> None:
    async with chromium.chromium() as found:
        await browser.follow(found, told)
    for name in browser.SHOWN:
        shutil.copyfile(chromium.SCREENSHOTS / f"story-{name}.png", PICTURES / f"{name}.png")


if __name__ == "__main__":
    main()
