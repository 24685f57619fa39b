"""The guide, by kustomize: the base that this project ships, as GitOps tools take it."""

from __future__ import annotations

from tests.cluster.crds import REPOSITORY
from tests.guide import walk
from tests.guide.place import Place
from tests.guide.pod import AdaptorPod
from tests.guide.steps import step

BASE = REPOSITORY / "config" / "default"


def test_the_guide_by_kustomize(place: Place) -> None:
    shell = place.shell

    assert "deployment.apps/smi-adaptor created" in shell.run(f"kubectl apply -k '{BASE}'")
    again = shell.run(f"kubectl apply -k '{BASE}'").splitlines()
    assert [line for line in again if not line.endswith(" unchanged")] == []

    pod = AdaptorPod(shell, namespace="linkerd-smi")
    with pod.running(place.directory / "adaptor", plane=place.plane, kubelet=place.kubelet):
        shell.run(step("kubectl create namespace").command)
        walk.configure_the_split(shell)

    shell.run(f"kubectl delete -k '{BASE}'")
    assert shell.objects("kubectl get crd,clusterrole,namespace -l linkerd.io/extension=smi") == []
