"""The guide, by Helm: from a chart repository, with no namespace named."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.cluster.crds import REPOSITORY
from tests.guide import walk
from tests.guide.place import Place
from tests.guide.pod import AdaptorPod
from tests.guide.shell import Shell
from tests.guide.steps import step

CHART = REPOSITORY / "config" / "chart" / "linkerd-smi"


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a test's output is not a server's log."""


@contextmanager
def chart_repository(shell: Shell, directory: Path) -> Iterator[str]:
    """Our chart, packed, where `helm repo add` finds it; gives the address."""
    directory.mkdir()
    shell.run(f"helm package '{CHART}' --destination '{directory}'")
    shell.run(f"helm repo index '{directory}'")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(directory)))
    thread = threading.Thread(target=server.serve_forever, name="chart repository")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_guide_by_helm(place: Place) -> None:
    shell = place.shell
    add = step("helm repo add").command
    with chart_repository(shell, place.directory / "charts") as url:
        *words, _ = add.split()
        shell.run(" ".join([*words, url]))
        shell.run(step("helm install").command)

    (release,) = json.loads(shell.run("helm list -o json"))
    assert release["status"] == "deployed"
    # The hooks are over and gone, and Linkerd finds the extension by the label that they set.
    assert shell.objects("kubectl get jobs,pods -l app.kubernetes.io/name=namespace-metadata") == []
    (found,) = shell.objects("kubectl get namespaces -l linkerd.io/extension=smi")
    assert found["metadata"]["name"] == "default"

    pod = AdaptorPod(shell, namespace="default")
    with pod.running(place.directory / "adaptor", plane=place.plane, kubelet=place.kubelet) as ours:
        assert "Status check results are √" in shell.run(step("linkerd smi check").command)
        walk.install_the_sample_application(shell)
        walk.configure_the_split(shell)
        walk.read_the_log(shell, namespace="default", address=ours.address)
        walk.clean_up(shell)

    shell.run(f"helm uninstall {release['name']}")
    kinds = "deploy,sa,role,rolebinding,clusterrole,clusterrolebinding,crd"
    left = shell.objects(f"kubectl get {kinds} -A -l linkerd.io/extension=smi")
    assert [one["metadata"]["name"] for one in left] == ["trafficsplits.split.smi-spec.io"]
