"""A real API server takes what the chart renders, keeps it as it is, and lets its pods run."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from tests.chart.cluster import Shell, definition_served, live, make_namespace, try_pod
from tests.chart.render import NAMESPACE, one, render
from tests.cluster.api import NAMESPACES, Api, Objects

# Without the PodMonitor: its kind is the Prometheus Operator's, and that is not here.
EVERYTHING = (
    "--set=audit.persistence.enabled=true,audit.persistence.storageClass=fast",
    "--set=networkPolicy.enabled=true,grafanaDashboard.enabled=true",
    "--set=networkPolicy.from[0].namespaceSelector.matchLabels.name=monitoring",
    "--set=grafanaDashboard.annotations.folder=Linkerd,imagePullSecrets[0].name=registry",
    "--set=adaptor.podLabels.team=mesh,adaptor.podAnnotations.team=mesh",
    "--set=adaptor.nodeSelector.disk=ssd,adaptor.tolerations[0].operator=Exists",
    "--set=clusterName=eu-1,audit.archive.existingSecret=archive",
    "--set=audit.archive.ca.existingConfigMap=authority,networkPolicy.archivePorts={5432,4143}",
    "--set=networkPolicy.archiveTo[0].ipBlock.cidr=10.0.0.0/8",
    "--set=audit.readers[0].kind=Group,audit.readers[0].name=auditors",
    "--set=audit.readers[1].kind=ServiceAccount,audit.readers[1].name=reader",
)
VALUES = pytest.mark.parametrize("values", [(), EVERYTHING], ids=["defaults", "everything"])


@pytest.fixture
async def restricted(bare: Api) -> str:
    """The extension's namespace, with the strictest level of pod security enforced."""
    if await bare.find(NAMESPACES, NAMESPACE) is None:
        await make_namespace(bare, NAMESPACE)
    return NAMESPACE


@VALUES
async def test_the_api_server_would_take_every_object(
    shell: Shell, helm: Path, restricted: str, values: tuple[str, ...]
) -> None:
    objects = render(helm, *values, hooks=True)
    printed = shell.kubectl(
        "apply", "--server-side", "--dry-run=server", "-f", "-", objects=objects
    )
    assert printed.count("(server dry run)") == len(objects)
    assert "arning" not in printed


@pytest.mark.parametrize(
    ("kind", "name"), [("Deployment", "smi-adaptor"), ("Job", "namespace-metadata")]
)
@VALUES
async def test_its_pods_run_where_pod_security_is_restricted(
    bare: Api, helm: Path, restricted: str, values: tuple[str, ...], kind: str, name: str
) -> None:
    template = one(render(helm, *values, hooks=True), kind, name)["spec"]["template"]
    status, answer = await try_pod(bare, restricted, template)
    assert status == 201, answer

    careless = copy.deepcopy(template)
    del careless["spec"]["containers"][0]["securityContext"]["capabilities"]
    status, answer = await try_pod(bare, restricted, careless)
    assert status == 403
    assert "unrestricted capabilities" in answer["message"]


@pytest.mark.parametrize("flags", [(), ("--server-side",)], ids=["client-side", "server-side"])
@VALUES
async def test_the_api_server_keeps_what_it_was_given_and_a_second_apply_changes_nothing(
    shell: Shell,
    bare: Api,
    helm: Path,
    restricted: str,
    values: tuple[str, ...],
    flags: tuple[str, ...],
) -> None:
    objects = render(helm, *values)
    try:
        shell.kubectl("apply", *flags, "-f", "-", objects=objects)
        await definition_served(bare)
        first = await live(bare, objects)
        for given, kept in zip(objects, first, strict=True):
            assert_within(given, kept, given["kind"])
        # kubectl fails when there is a difference.
        shell.kubectl("diff", *flags, "-f", "-", objects=objects)
        shell.kubectl("apply", *flags, "-f", "-", objects=objects)
        assert _contents(await live(bare, objects)) == _contents(first)
    finally:
        shell.delete(objects)


def assert_within(given: object, kept: object, where: str) -> None:
    """Everything that was given is there, at the same place and with the same value."""
    if isinstance(given, dict):
        assert isinstance(kept, dict), where
        for name, value in given.items():
            assert name in kept, f"{where}.{name} was dropped"
            assert_within(value, kept[name], f"{where}.{name}")
    elif isinstance(given, list):
        assert isinstance(kept, list), where
        assert len(given) == len(kept), where
        for number, (ours, theirs) in enumerate(zip(given, kept, strict=True)):
            assert_within(ours, theirs, f"{where}[{number}]")
    else:
        assert kept == given, where


def _contents(objects: Objects) -> Objects:
    """Without the version: a claim's changes with the first apply that follows its creation."""
    return [
        {**o, "metadata": {k: v for k, v in o["metadata"].items() if k != "resourceVersion"}}
        for o in objects
    ]
