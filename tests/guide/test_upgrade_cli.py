"""From the Go extension's manifests to ours, by what the CLI prints."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.cluster.api import Api
from tests.guide import estate, upgrade
from tests.guide.page import typed
from tests.guide.place import Place
from tests.guide.shell import Shell
from tests.guide.steps import step
from tests.legacy import chart


@pytest.mark.timeout(300)  # many programs, one after another, on a machine that may be busy
async def test_an_upgrade_by_the_cli(place: Place, helm: Path) -> None:
    shell = place.shell
    old, install = chart.installed_by_cli(helm), step("linkerd smi install").command
    await asyncio.to_thread(shell.apply, old)
    async with Api.connect(place.plane.admin_kubeconfig) as api:
        await estate.leave_behind(api)
        before = await estate.contents(api)
        await upgrade.is_the_old_extension(api)

        await asyncio.to_thread(_look_before, shell)
        assert await estate.contents(api) == before

        await asyncio.to_thread(shell.run, install)
        await upgrade.is_our_extension(api)
        assert await estate.contents(api) == before

        # Back again, as to Helm's rollback: by what was applied before.
        await asyncio.to_thread(shell.apply, old)
        await upgrade.is_the_old_extension(api)
        assert await estate.contents(api) == before

        await asyncio.to_thread(shell.run, install)
        await upgrade.is_our_extension(api)
        assert await estate.contents(api) == before

        await estate.is_adopted_by_ours(place, api)


def _look_before(shell: Shell) -> None:
    """What docs/upgrading.md says to type first, and what it says that would turn up."""
    *kept, translate, diff = [one.line for one in typed("upgrading.md", "## Before")]
    for line in kept:
        shell.run(line)
    translated = shell.attempt(translate)
    assert (translated.code, "shop/odd" in translated.stderr) == (1, True)
    changes = {row[1]: row[3] for row in map(str.split, shell.attempt(diff).stdout.splitlines())}
    assert changes == {"SERVICE": "CHANGE", "gone": "delete", "odd": "invalid"}
