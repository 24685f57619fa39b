"""The guide, by its CLI: every command that its reader types, in its order."""

from __future__ import annotations

from tests.cluster.prometheus import Prometheus
from tests.guide import viz, walk
from tests.guide.place import Place
from tests.guide.pod import AdaptorPod
from tests.guide.steps import step

CHECKS = (
    "linkerd-smi extension Namespace exists",
    "SMI extension service account exists",
    "SMI extension pods are injected",
    "SMI extension pods are running",
    "SMI extension proxies are healthy",
)


def test_the_guide_by_its_cli(place: Place, prometheus: Prometheus) -> None:
    shell = place.shell
    viz.install(place, prometheus)
    install = step("linkerd smi install").command

    applied = shell.run(install)
    assert "namespace/linkerd-smi created" in applied
    assert "deployment.apps/smi-adaptor created" in applied
    again = shell.run(install).splitlines()
    assert [line for line in again if not line.endswith(" unchanged")] == []

    pod = AdaptorPod(shell, namespace="linkerd-smi")
    with pod.running(place.directory / "adaptor", plane=place.plane, kubelet=place.kubelet) as ours:
        checked = shell.run(step("linkerd smi check").command)
        assert [name for name in CHECKS if f"√ {name}" not in checked] == []
        assert checked.rstrip().endswith("Status check results are √")

        walk.install_the_sample_application(shell)
        walk.configure_the_split(shell)
        viz.see_the_guides_traffic(prometheus, walk.SAMPLE)
        walk.see_the_traffic(shell)
        walk.read_the_log(shell, namespace="linkerd-smi", address=ours.address)
        walk.clean_up(shell)
        assert shell.run(step("linkerd smi check").command)

    shell.run("linkerd smi uninstall | kubectl delete -f -")
    left = "kubectl get all,clusterrole,clusterrolebinding,crd,namespace,serviceaccount,role"
    assert shell.objects(f"{left} -A -l linkerd.io/extension=smi") == []
