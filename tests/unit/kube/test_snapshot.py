"""One look at a cluster, on the sandbox's API server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reactor.kube import snapshot
from reactor.kube.connection import Connection
from reactor.sandbox.server import Sandbox

DOMAIN = "cluster.local"


def split(namespace: str, name: str = "canary") -> dict[str, Any]:
    return {
        "apiVersion": "split.smi-spec.io/v1alpha2",
        "kind": "TrafficSplit",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"service": "web", "backends": [{"service": "v1", "weight": 1}]},
    }


def profile(namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "linkerd.io/v1alpha2",
        "kind": "ServiceProfile",
        "metadata": {"name": f"web.{namespace}.svc.{DOMAIN}", "namespace": namespace},
        "spec": {},
    }


def service(namespace: str, name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"ports": [{"port": 80}], **spec},
    }


def filled(sandbox: Sandbox) -> None:
    for namespace in ("one", "two", "three"):
        sandbox.cluster.create(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        )
    sandbox.cluster.create(split("one"))
    sandbox.cluster.create(split("two"))
    sandbox.cluster.create(profile("one"))
    sandbox.cluster.create(service("one", "web"))
    sandbox.cluster.create(service("one", "v1", clusterIP="None"))


async def test_a_look_at_all_namespaces_finds_what_the_adaptor_would(tmp_path: Path) -> None:
    async with Sandbox() as sandbox:
        filled(sandbox)
        config = str(sandbox.write_kubeconfig(tmp_path / "kubeconfig"))
        async with Connection.from_kubeconfig(config, environ={}) as connection:
            found = await snapshot.take(connection, domain=DOMAIN)
    assert [one.meta.namespace for one in found.splits] == ["one", "two"]
    assert [one.meta.name for one in found.profiles] == [f"web.one.svc.{DOMAIN}"]
    assert found.services["one"] == {"web": "present", "v1": "headless"}
    assert found.services["two"] == {}


async def test_a_look_at_one_namespace_finds_nothing_of_the_others(tmp_path: Path) -> None:
    async with Sandbox() as sandbox:
        filled(sandbox)
        config = str(sandbox.write_kubeconfig(tmp_path / "kubeconfig"))
        async with Connection.from_kubeconfig(config, environ={}) as connection:
            found = await snapshot.take(connection, domain=DOMAIN, namespace="two")
    assert [one.meta.namespace for one in found.splits] == ["two"]
    assert found.profiles == ()
    assert found.services == {"two": {}}


async def test_kinds_that_nothing_serves_have_no_objects(tmp_path: Path) -> None:
    async with Sandbox(definitions=()) as sandbox:
        config = str(sandbox.write_kubeconfig(tmp_path / "kubeconfig"))
        async with Connection.from_kubeconfig(config, environ={}) as connection:
            found = await snapshot.take(connection, domain=DOMAIN)
    assert (found.splits, found.profiles) == ((), ())
