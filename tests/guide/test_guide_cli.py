"""The guide, by its CLI: every command that its reader types, in its order."""

from __future__ import annotations

from pathlib import Path

import pytest

from reactor import __version__
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


@pytest.mark.timeout(300)  # many programs, one after another, on a machine that may be busy
def test_the_guide_by_its_cli(place: Place, wheelhouse: Path, prometheus: Prometheus) -> None:
    shell = place.shell
    viz.install(place, prometheus)
    shell.serve_release(wheelhouse)

    assert "Next: linkerd smi install" in shell.run(step("curl").command)
    installed = shell.home / ".linkerd2" / "bin"
    assert shell.run("command -v linkerd-smi").strip() == str(installed / "linkerd-smi")
    assert shell.run("linkerd smi version --client --short").strip() == __version__

    install = step("linkerd smi install").command

    applied = shell.run(install)
    assert "namespace/linkerd-smi created" in applied
    assert "deployment.apps/smi-adaptor created" in applied
    again = shell.run(install).splitlines()
    assert [line for line in again if not line.endswith(" unchanged")] == []

    pod = AdaptorPod(shell, namespace="linkerd-smi")
    with pod.running(
        place.directory / "adaptor",
        plane=place.plane,
        kubelet=place.kubelet,
        program=installed / "smi-adaptor",
    ) as ours:
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
