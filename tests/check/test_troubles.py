"""What `linkerd-smi check` finds on a real API server, the adaptor's pod pretended."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from tests.check.names import FIVE
from tests.check.site import (
    CLUSTER_ROLES,
    DEPLOYMENTS,
    NAMESPACE,
    Site,
    added,
    changed,
)
from tests.check.waiting import listens, may_list, may_no_longer_patch, until
from tests.cluster.adaptor import AdaptorProcess
from tests.cluster.api import NAMESPACES, SERVICEPROFILES, Api, Object
from tests.cluster.control_plane import STRANGER
from tests.cluster.crds import linkerd_crds
from tests.cluster.prepare import apply_definitions, empty_namespace, ensure_namespace
from tests.legacy import chart as legacy


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
