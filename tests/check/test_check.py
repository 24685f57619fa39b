"""`linkerd-smi check` on a real API server, with a real adaptor behind a pretended pod."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.check.site import (
    CLUSTER_ROLES,
    DEPLOYMENTS,
    NAMESPACE,
    Site,
    added,
    changed,
)
from tests.check.waiting import check_at_a_terminal, listens, may_list, may_no_longer_patch, until
from tests.cluster.adaptor import AdaptorProcess
from tests.cluster.api import NAMESPACES, SERVICEPROFILES, Api, Object
from tests.cluster.control_plane import STRANGER
from tests.cluster.crds import linkerd_crds
from tests.cluster.prepare import apply_definitions, empty_namespace, ensure_namespace
from tests.legacy import chart as legacy

FIVE = [
    "linkerd-smi extension Namespace exists",
    "SMI extension service account exists",
    "SMI extension pods are injected",
    "SMI extension pods are running",
    "SMI extension proxies are healthy",
]
NAMES = [
    *FIVE[:2],
    "TrafficSplit CRD is served in every version",
    "Linkerd's ServiceProfile CRD is served",
    "SMI adaptor may do what it has to",
    *FIVE[2:],
    "SMI adaptor is ready",
    "SMI adaptor and CLI are of the same version",
    "SMI adaptor's audit log has no gaps",
    "SMI adaptor's audit log is kept (on an emptyDir: it goes with the pod)",
    "TrafficSplits are valid",
    "TrafficSplits take effect",
    "ServiceProfiles follow their TrafficSplits",
    "HTTPRoutes are not shadowed",
    "nothing is left of the Go extension",
]
LINKERDS_LINE = (
    "--as-group=[]",
    "--verbose=false",
    "--proxy=false",
    "--wait=5m0s",
    "--output=json",
)


def split(name: str, service: str = "web", **spec: object) -> Object:
    return {
        "apiVersion": "split.smi-spec.io/v1alpha4",
        "kind": "TrafficSplit",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"service": service, "backends": [{"service": service, "weight": 1}], **spec},
    }


def service(name: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"ports": [{"port": 80}]},
    }


def without_patch(role: Object) -> None:
    for rule in role["rules"]:
        if "serviceprofiles" in rule["resources"]:
            rule["verbs"].remove("patch")


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
    assert "can't connect" in check["error"]


async def test_a_kubeconfig_that_is_not_there_is_one_failure_as_well(
    site: Site, tmp_path: Path
) -> None:
    checked = await site.check(*LINKERDS_LINE, kubeconfig=tmp_path / "none")
    assert checked.code == 1
    assert json.loads(checked.stdout)["success"] is False


async def test_a_namespace_without_its_label_is_found_and_told(site: Site, boss: Api) -> None:
    def unlabelled(namespace: Object) -> None:
        del namespace["metadata"]["labels"]["linkerd.io/extension"]

    async with changed(boss, NAMESPACES, NAMESPACE, None, unlabelled):
        checked = await site.check("-o", "json")
    assert checked.code == 0
    assert checked.unwell == [FIVE[0]]
    assert checked.find(FIVE[0])["hint"] == (
        "`kubectl label namespace linkerd-smi linkerd.io/extension=smi`"
    )


async def test_pods_are_waited_for_as_long_as_wait_says_and_the_rest_is_told_all_the_same(
    site: Site, boss: Api
) -> None:
    await site.say(boss, {"smi-adaptor": False, "linkerd-proxy": True})
    try:
        checked = await site.check("-o", "json", "--wait=1s")
    finally:
        await site.say(boss, {"smi-adaptor": True, "linkerd-proxy": True})
    assert checked.code == 1
    assert checked.unwell == [FIVE[3]]
    found = checked.find(FIVE[3])
    assert found["error"] == "container smi-adaptor of pod smi-adaptor-1 is not ready"
    assert found["hint"] == "`kubectl -n linkerd-smi describe pod smi-adaptor-1`"


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


async def test_a_pod_without_a_proxy_is_a_warning(site: Site, boss: Api) -> None:
    await site.end_pod(boss)
    await site.run_pod(boss, proxy=False)
    try:
        checked = await site.check()
    finally:
        await site.end_pod(boss)
        await site.run_pod(boss)
    assert checked.code == 0
    assert f"‼ {FIVE[2]}\n    no linkerd-proxy container in smi-adaptor-1" in checked.stdout
    assert checked.stdout.endswith("Status check results are √\n")


async def test_a_right_that_is_taken_away_is_named(site: Site, boss: Api) -> None:
    async with changed(boss, CLUSTER_ROLES, "smi-adaptor", None, without_patch):
        await until(lambda: may_no_longer_patch(boss))
        checked = await site.check("-o", "json")
        unheard = await site.check("-o", "json", "--as=admin", "--as-group=system:masters")
    for found in (checked, unheard):
        assert found.code == 1
        assert found.unwell == ["SMI adaptor may do what it has to"]
        assert found.find("SMI adaptor may")["error"] == (
            "ServiceAccount smi-adaptor may not patch serviceprofiles.linkerd.io"
        )


async def test_who_may_not_ask_about_the_adaptor_is_warned(site: Site, boss: Api) -> None:
    view = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "onlooker"},
        "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]}],
    }
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "onlooker"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "onlooker",
        },
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": STRANGER}],
    }
    async with (
        added(boss, view, binding),
        Api.connect(site.plane.stranger_kubeconfig) as stranger,
    ):
        await until(lambda: may_list(stranger))
        checked = await site.check("-o", "json", kubeconfig=site.plane.stranger_kubeconfig)
    assert checked.code == 0
    assert checked.unwell == ["SMI adaptor may do what it has to", "SMI adaptor is ready"]
    assert "neither impersonate" in checked.find("SMI adaptor may")["error"]
    assert "pods/portforward" in checked.find("SMI adaptor is ready")["error"]


async def test_who_may_nothing_gets_one_failure_that_says_so(site: Site) -> None:
    checked = await site.check("-o", "json", kubeconfig=site.plane.stranger_kubeconfig)
    assert checked.code == 1
    (check,) = checked.checks.values()
    assert "403" in check["error"]
    assert check["hint"] == "`kubectl auth can-i --list`"


async def test_an_adaptor_that_is_not_ready_says_what_it_waits_for(
    site: Site, tmp_path: Path
) -> None:
    powerless = AdaptorProcess(tmp_path / "powerless", kubeconfig=site.plane.stranger_kubeconfig)
    with ExitStack() as stack:
        stack.push(powerless)
        powerless.start(until_ready=False)
        await until(lambda: listens(powerless.address))
        checked = await site.check("-o", "json", f"--api-addr={powerless.address}", "--wait=0s")
    assert checked.code == 1
    error = checked.find("SMI adaptor is ready")["error"]
    assert error.startswith(f"{powerless.address}: ")
    assert "serviceprofiles" in error


async def test_an_admin_port_where_nobody_listens_is_a_failure(site: Site) -> None:
    checked = await site.check("-o", "json", "--api-addr=127.0.0.1:1", "--wait=0s")
    assert checked.code == 1
    assert "127.0.0.1:1/ready" in checked.find("SMI adaptor is ready")["error"]
    assert not any("no gaps" in name for name in checked.checks)


async def test_splits_that_go_nowhere_are_warnings(site: Site, boss: Api) -> None:
    await ensure_namespace(boss, "shop")
    matched = split("matched", matches=[{"kind": "HTTPRouteGroup", "name": "chrome"}])
    younger = split("younger", "api")
    idle = split("idle", "nobody")
    documents = [service("web"), service("api"), split("older", "api"), matched, younger, idle]
    async with added(boss, *documents):
        checked = await site.check("-o", "json")
    await empty_namespace(boss, "shop")
    assert checked.code == 0
    assert checked.unwell == ["TrafficSplits are valid", "TrafficSplits take effect"]
    valid = checked.find("TrafficSplits are valid")
    assert valid["error"].startswith("shop/matched: UnsupportedMatches: spec.matches")
    assert valid["hint"] == "`kubectl -n shop edit trafficsplit matched`"
    effect = checked.find("TrafficSplits take effect")["error"]
    assert "shop/younger: ShadowedBy" in effect
    assert "shop/idle: ServiceNotFound: there is no Service nobody" in effect


async def test_a_profile_that_nobody_writes_lags_behind(site: Site, boss: Api) -> None:
    await ensure_namespace(boss, "shop")
    site.adaptor.stop()
    try:
        async with added(boss, service("web"), split("canary")):
            checked = await site.check("-o", "json", "--wait=1s")
    finally:
        await empty_namespace(boss, "shop")
        site.adaptor.start()
    assert checked.code == 1
    assert checked.unwell == [
        "SMI adaptor is ready",
        "ServiceProfiles follow their TrafficSplits",
    ]
    lags = checked.find("ServiceProfiles follow")
    assert lags["error"] == "serviceprofile/web.shop.svc.cluster.local is not there yet"
    assert lags["hint"] == "`linkerd smi diff --namespace shop`"


async def test_a_route_that_a_profile_shadows_is_told(site: Site, boss: Api) -> None:
    (routes,) = (
        found
        for found in linkerd_crds()
        if found["metadata"]["name"] == "httproutes.policy.linkerd.io"
    )
    await apply_definitions(boss, routes)
    await ensure_namespace(boss, "shop")
    route = {
        "apiVersion": f"policy.linkerd.io/{routes['spec']['versions'][-1]['name']}",
        "kind": "HTTPRoute",
        "metadata": {"name": "canary", "namespace": "shop"},
        "spec": {"parentRefs": [{"group": "core", "kind": "Service", "name": "web", "port": 80}]},
    }
    name = "web.shop.svc.cluster.local"
    async with added(boss, service("web"), split("canary"), route):
        await boss.wait_for(SERVICEPROFILES, name, "shop", bool)
        checked = await site.check("-o", "json")
    await empty_namespace(boss, "shop")
    assert checked.code == 0
    assert checked.unwell == ["HTTPRoutes are not shadowed"]
    assert checked.find("HTTPRoutes")["error"] == (
        "httproute.policy.linkerd.io shop/canary is ignored:"
        f" serviceprofile/{name} has dstOverrides"
    )


async def test_what_the_go_extension_left_is_told(site: Site, boss: Api, helm: Path) -> None:
    objects = legacy.installed_by_cli(helm, namespace="smi-old")
    (old,) = (found for found in objects if found["kind"] == "Deployment")
    await boss.ensure(objects[0])

    def unlabelled(namespace: Object) -> None:
        del namespace["metadata"]["labels"]["linkerd.io/extension"]

    async with added(boss, old):
        running = await site.check("-o", "json")
    idle = await site.check("-o", "json")
    forgotten = await boss.get(NAMESPACES, "smi-old")
    unlabelled(forgotten)
    await boss.replace(NAMESPACES, forgotten)
    assert [running.unwell, idle.unwell] == [["nothing is left of the Go extension"]] * 2
    assert running.find("nothing")["hint"] == ("`kubectl -n smi-old delete deployment smi-adaptor`")
    assert idle.find("nothing")["hint"] == "`kubectl label namespace smi-old linkerd.io/extension-`"


async def test_the_go_adaptor_in_our_place_is_another_version(
    site: Site, boss: Api, helm: Path
) -> None:
    def as_before(deployment: Object) -> None:
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        container["image"] = "cr.l5d.io/linkerd/smi-adaptor:v0.2.7"

    async with (
        changed(boss, DEPLOYMENTS, "smi-adaptor", NAMESPACE, as_before),
        changed(boss, CLUSTER_ROLES, "smi-adaptor", None, without_patch),
    ):
        await until(lambda: may_no_longer_patch(boss))
        checked = await site.check("-o", "json")
    assert checked.code == 0
    assert checked.unwell == [
        "SMI adaptor may do what it has to",
        "SMI adaptor and CLI are of the same version",
    ]
    assert "the Go adaptor" in checked.find("SMI adaptor and CLI")["error"]
    assert not any("audit log is kept" in name for name in checked.checks)


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
