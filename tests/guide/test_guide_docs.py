"""The guide as docs/guide.md retells it: every line that it says to type, as it stands."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.cluster.crds import REPOSITORY
from tests.cluster.prometheus import Prometheus
from tests.guide import viz, walk
from tests.guide.page import Typed, typed
from tests.guide.pictures import in_order, logged
from tests.guide.place import Place
from tests.guide.pod import AdaptorPod
from tests.guide.shell import Shell
from tests.guide.waiting import until

PIPELINE = "## In a pipeline"
# Making and installing a release is tested in tests/dist, the image in tests/image, and Helm would
# refuse to install beside what the command line did: test_guide_helm.py.
ELSEWHERE = ("make ", "curl ", "docker ", "LINKERD_SMI_SOURCE=", "helm install ")
INSTALL = "linkerd smi install | kubectl apply -f -"


@pytest.mark.timeout(300)  # many programs, one after another, on a machine that may be busy
def test_every_line_of_the_docs_guide_works_as_it_stands(
    place: Place, prometheus: Prometheus
) -> None:
    shell = place.shell
    for name, target in (("config", "config"), ("manifests", "config/samples")):
        (shell.home / name).symlink_to(REPOSITORY / target)
    viz.install(place, prometheus)
    pipeline = typed("guide.md", PIPELINE)
    lines = [one for one in typed("guide.md") if one not in pipeline]
    with ExitStack() as stack:
        for one in lines:
            if one.line.startswith(ELSEWHERE) or "REGISTRY" in one.line:
                continue
            if one.line.startswith("linkerd smi uninstall"):
                # What it deletes stays in use no longer than in a real cluster.
                stack.close()
            printed = _run(shell, one)
            if one.line == INSTALL:
                pod = AdaptorPod(shell, namespace="linkerd-smi")
                folder = place.directory / "adaptor"
                stack.enter_context(pod.running(folder, plane=place.plane, kubelet=place.kubelet))
            elif one.line.startswith("kubectl apply -k"):
                # The same objects, whichever way they came.
                assert [text for text in printed.splitlines() if "unchanged" not in text] == []
            elif "3-trafficsplit.yaml" in one.line and one.line.startswith("kubectl"):
                until(lambda: _weights(shell) == ["500", "500"], what="the split's profile")
                viz.see_the_guides_traffic(prometheus, walk.SAMPLE)
                for another in pipeline:
                    _run(shell, another)
            elif one.line.startswith("kubectl -n trafficsplit-sample patch"):
                until(lambda: _weights(shell) == ["900", "100"], what="the new weights")
    (definition,) = shell.objects("kubectl get crd,clusterrole -l linkerd.io/extension=smi")
    assert definition["kind"] == "CustomResourceDefinition"


def _run(shell: Shell, one: Typed) -> str:
    printed = shell.run(one.line)
    if one.output.startswith("time="):
        assert in_order(logged(one.output), logged(printed)) == [], printed
    elif one.output:
        assert printed.rstrip("\n") == one.output
    return printed


def _weights(shell: Shell) -> list[str]:
    profiles = shell.objects(f"kubectl get serviceprofiles -n {walk.SAMPLE}")
    return [one["weight"] for profile in profiles for one in profile["spec"]["dstOverrides"]]
