"""From the Go extension's release to ours, back, and to ours again, by Helm."""

from __future__ import annotations

import asyncio

import yaml

from tests.cluster.api import Api
from tests.guide import estate, upgrade
from tests.guide.place import Place
from tests.guide.test_guide_helm import CHART
from tests.legacy import chart


async def test_an_upgrade_by_helm(place: Place) -> None:
    async def run(line: str) -> None:
        await asyncio.to_thread(place.shell.run, line)

    # As people keep them: a copy of the whole old file, with a choice of their own.
    values = chart.values()
    values["adaptor"]["nodeSelector"] = {"disk": "hdd"}
    copied = place.directory / "values.yaml"
    copied.write_text(yaml.safe_dump(values), encoding="utf-8")
    old = f"helm install linkerd-smi '{chart.CHART}' -n linkerd-smi --create-namespace"
    ours = f"helm upgrade linkerd-smi '{CHART}' -n linkerd-smi --wait --timeout=30s"

    await run(f"{old} --set adaptor.nodeSelector.disk=ssd")
    async with Api.connect(place.plane.admin_kubeconfig) as api:
        await estate.leave_behind(api)
        before = await estate.contents(api)
        await upgrade.is_the_old_extension(api)

        await run(f"{ours} --reuse-values")
        await upgrade.is_our_extension(api)
        assert await upgrade.node_selector(api) == {"disk": "ssd"}
        assert await estate.contents(api) == before

        await run("helm rollback linkerd-smi 1 -n linkerd-smi --wait --timeout=30s")
        await upgrade.is_the_old_extension(api)
        assert await estate.contents(api) == before

        await run(f"{ours} --values '{copied}'")
        await upgrade.is_our_extension(api)
        assert await upgrade.node_selector(api) == {"disk": "hdd"}
        assert await estate.contents(api) == before

        await estate.is_adopted_by_ours(place, api)
