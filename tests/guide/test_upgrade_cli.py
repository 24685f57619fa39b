"""From the Go extension's manifests to ours, by what the CLI prints."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.cluster.api import Api
from tests.guide import estate, upgrade
from tests.guide.place import Place
from tests.guide.steps import step
from tests.legacy import chart


async def test_an_upgrade_by_the_cli(place: Place, helm: Path) -> None:
    shell = place.shell
    await asyncio.to_thread(shell.apply, chart.installed_by_cli(helm))
    async with Api.connect(place.plane.admin_kubeconfig) as api:
        await estate.leave_behind(api)
        before = await estate.contents(api)
        await upgrade.is_the_old_extension(api)

        await asyncio.to_thread(shell.run, step("linkerd smi install").command)
        await upgrade.is_our_extension(api)
        assert await estate.contents(api) == before

        await estate.is_adopted_by_ours(place, api)
