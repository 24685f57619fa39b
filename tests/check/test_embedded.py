"""What Linkerd's own command line makes of our check."""

from __future__ import annotations

import json

from tests.check.names import NAMES
from tests.check.site import Site
from tests.cluster.api import Api
from tests.cluster.linkerdcli import LinkerdCli


def test_linkerd_check_finds_us_by_the_label_and_shows_our_checks_as_its_own(
    site: Site, linkerd_cli: LinkerdCli
) -> None:
    done = linkerd_cli.run("check", "--wait=1s", kubeconfig=site.plane.admin_kubeconfig)
    _, _, ours = done.stdout.partition("\nlinkerd-smi\n-----------\n")
    shown, _, _ = ours.partition("\n\n")
    assert shown.splitlines() == [f"√ {name}" for name in NAMES]


def test_linkerd_check_as_somebody_passes_the_user_on(site: Site, linkerd_cli: LinkerdCli) -> None:
    flags = ["--as=nobody", "--as-group=system:masters", "--as-group=more"]
    config = site.plane.admin_kubeconfig
    done = linkerd_cli.run("check", "--wait=1s", "--output=json", *flags, kubeconfig=config)
    # Its own checks, then those of the extensions: one object each.
    decoder = json.JSONDecoder()
    _, end = decoder.raw_decode(done.stdout)
    extensions, _ = decoder.raw_decode(done.stdout[end:].lstrip())
    assert extensions["success"] is True
    (category,) = extensions["categories"]
    assert category["categoryName"] == "linkerd-smi"
    assert [check["description"] for check in category["checks"]] == NAMES


async def test_linkerd_smi_check_shows_what_is_wrong_in_both(
    site: Site, linkerd_cli: LinkerdCli, boss: Api
) -> None:
    await site.say(boss, {"smi-adaptor": False, "linkerd-proxy": True})
    config = site.plane.admin_kubeconfig
    try:
        embedded = linkerd_cli.run("check", "--wait=1s", kubeconfig=config)
        alone = linkerd_cli.run("smi", "check", "--wait=0s", "-o", "short", kubeconfig=config)
    finally:
        await site.say(boss, {"smi-adaptor": True, "linkerd-proxy": True})
    trouble = (
        "× SMI extension pods are running\n"
        "    container smi-adaptor of pod smi-adaptor-1 is not ready\n"
        "    see `kubectl -n linkerd-smi describe pod smi-adaptor-1` for hints\n"
    )
    assert trouble in embedded.stdout
    assert alone.stdout == f"linkerd-smi\n-----------\n{trouble}\nStatus check results are ×\n"
    assert alone.returncode == 1
