"""`linkerd-smi check` as it is typed, on a real API server with a real adaptor."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.check.names import FIVE, NAMES
from tests.check.site import (
    Site,
)
from tests.check.waiting import check_at_a_terminal
from tests.cluster.api import Api

LINKERDS_LINE = (
    "--as-group=[]",
    "--verbose=false",
    "--proxy=false",
    "--wait=5m0s",
    "--output=json",
)


async def test_a_default_install_is_all_well(site: Site) -> None:
    checked = await site.check()
    assert (checked.code, checked.stderr) == (0, "")
    lines = checked.stdout.splitlines()
    assert lines[:2] == ["linkerd-smi", "-----------"]
    assert [line for line in lines[2:-2] if not line.startswith("    ")] == [
        f"√ {name}" for name in NAMES
    ]
    assert lines[-2:] == ["", "Status check results are √"]


async def test_the_line_that_linkerd_types_is_answered_with_what_it_reads(site: Site) -> None:
    checked = await site.check(*LINKERDS_LINE)
    assert (checked.code, checked.stderr) == (0, "")
    output = json.loads(checked.stdout)
    assert output["success"] is True
    assert [category["categoryName"] for category in output["categories"]] == ["linkerd-smi"]
    assert list(checked.checks) == NAMES
    assert checked.unwell == []


async def test_flags_of_linkerds_own_check_are_ignored(site: Site) -> None:
    unknown = ["--cni-namespace=linkerd-cni", "--linkerd-cni-enabled=false", "--crds", "--pre"]
    proxy = ["--proxy=true", "--namespace=emojivoto"]
    checked = await site.check(*unknown, *proxy, "--output=short")
    assert (checked.code, checked.stdout) == (0, "Status check results are √\n")
    assert checked.stderr == f"linkerd-smi: ignored: {' '.join(unknown[:3])}\n"
    quiet = await site.check(*unknown, *LINKERDS_LINE)
    assert (quiet.code, quiet.stderr) == (0, "")


async def test_verbose_tells_what_is_asked_of_whom(site: Site) -> None:
    checked = await site.check("--verbose", "--output=json")
    lines = checked.stderr.splitlines()
    assert checked.code == 0
    assert lines[0] == f"linkerd-smi: asking {site.plane.url}"
    assert lines[1].startswith("linkerd-smi: get /api/v1/namespaces: 200 in ")
    account = "system:serviceaccount:linkerd-smi:smi-adaptor"
    assert f"linkerd-smi: asking {site.plane.url} as {account}" in lines
    assert any("get trafficsplits: " in line or "list trafficsplits: " in line for line in lines)


async def test_the_namespace_that_is_named_is_the_one_that_is_checked(site: Site) -> None:
    checked = await site.check("-n", "nowhere", "-o", "json")
    assert checked.code == 1
    assert list(checked.checks.values()) == [
        {
            "description": FIVE[0],
            "hint": "`linkerd smi install --namespace nowhere | kubectl apply -f -`",
            "error": "there is no namespace nowhere",
            "result": "error",
        }
    ]


async def test_a_namespace_without_the_extension_is_told_so(site: Site) -> None:
    checked = await site.check("--namespace=default", "-o", "json", "--wait=1s")
    assert checked.code == 1
    install = "`linkerd smi install --namespace default | kubectl apply -f -`"
    assert checked.find(FIVE[0])["result"] == "warning"
    for name in FIVE[1], FIVE[3]:
        assert (checked.find(name)["result"], checked.find(name)["hint"]) == ("error", install)
    assert "linkerd-smi" in checked.find("nothing is left")["error"]


async def test_a_cluster_that_cannot_be_reached_is_one_failure(site: Site, tmp_path: Path) -> None:
    config = json.loads(site.plane.admin_kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(config))
    checked = await site.check(*LINKERDS_LINE, kubeconfig=path)
    assert checked.code == 1
    (check,) = checked.checks.values()
    assert check["result"] == "error"
    assert "127.0.0.1:1" in check["error"]
    assert "can't connect: Connection refused" in check["error"]


async def test_a_kubeconfig_that_is_not_there_is_one_failure_as_well(
    site: Site, tmp_path: Path
) -> None:
    checked = await site.check(*LINKERDS_LINE, kubeconfig=tmp_path / "none")
    assert checked.code == 1
    assert json.loads(checked.stdout)["success"] is False


async def test_a_terminal_shows_what_is_waited_for_until_it_is_there(site: Site, boss: Api) -> None:
    await site.say(boss, {"smi-adaptor": True, "linkerd-proxy": False})
    waiting = check_at_a_terminal(site.command("--wait=60s"))
    try:
        await waiting.shows(f"{FIVE[3]}: container linkerd-proxy")
    finally:
        await site.say(boss, {"smi-adaptor": True, "linkerd-proxy": True})
        code, stdout = await waiting.ended()
    assert code == 0
    assert f"√ {FIVE[3]}" in stdout
    assert stdout.endswith("Status check results are √\n")


async def test_who_may_nothing_gets_one_failure_that_says_so(site: Site) -> None:
    checked = await site.check("-o", "json", kubeconfig=site.plane.stranger_kubeconfig)
    assert checked.code == 1
    (check,) = checked.checks.values()
    assert "403" in check["error"]
    assert check["hint"] == "`linkerd smi check --namespace linkerd-smi`"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--wait=soon"], "--wait=soon: write a duration"),
        (["--output=wide"], "'wide' is not one of 'table', 'short', 'json'"),
        (["--namespace=a_b"], "'a_b' is no namespace"),
        (["--api-addr=9995"], "write HOST:PORT"),
        (["--proxy=perhaps"], "'perhaps' is not true or false"),
    ],
)
async def test_a_flag_that_cannot_be_read_is_one_line_and_exit_code_2(
    site: Site, arguments: list[str], said: str
) -> None:
    checked = await site.check(*arguments)
    assert (checked.code, checked.stdout) == (2, "")
    assert len(checked.stderr.splitlines()) == 1
    assert said in checked.stderr
