"""What is told of the adaptor's pods."""

from __future__ import annotations

import pytest

from reactor.check import pods
from reactor.check.kinds import Pod
from reactor.check.result import Trouble
from tests.check.objects import NAMESPACE, deployment, pod, status


def error(trouble: Trouble | None) -> str:
    assert trouble is not None
    return trouble.error


def running(*found: Pod, replicas: int | None = 1) -> Trouble | None:
    return pods.running(deployment(replicas=replicas), found, NAMESPACE)


@pytest.mark.parametrize("proxy", ["containers", "init"])
def test_a_pod_that_runs_with_a_healthy_proxy_is_fine(proxy: str) -> None:
    found = [pod(proxy=proxy)]
    assert running(*found) is None
    assert pods.injected(found, NAMESPACE) is None
    assert pods.proxies(found, NAMESPACE) is None


def test_a_pod_without_a_proxy_is_a_warning_and_no_unhealthy_proxy() -> None:
    found = [pod(proxy=None)]
    trouble = pods.injected(found, NAMESPACE)
    assert trouble is not None
    assert trouble.warning
    assert "no linkerd-proxy container in smi-adaptor-1" in trouble.error
    assert trouble.hint == "`kubectl -n linkerd-smi rollout restart deploy/smi-adaptor`"
    assert pods.proxies(found, NAMESPACE) is None


def test_where_no_pod_is_nothing_is_told_of_proxies() -> None:
    assert pods.injected([], NAMESPACE) == pods.proxies([], NAMESPACE)
    assert error(pods.injected([], NAMESPACE)) == "there is no pod to look at"


def test_pods_that_are_going_or_were_evicted_do_not_count() -> None:
    found = [pod(), pod(phase="Failed"), pod(phase="Succeeded"), pod(deleted=True)]
    assert pods.live(found) == [found[0]]


def test_without_a_deployment_install_is_what_to_type() -> None:
    trouble = pods.running(None, [], NAMESPACE)
    assert trouble == Trouble(
        "there is no Deployment smi-adaptor in namespace linkerd-smi",
        "`linkerd smi install | kubectl apply -f -`",
    )


def test_a_deployment_scaled_to_0_says_how_to_scale_it() -> None:
    trouble = running(replicas=0)
    assert trouble is not None
    assert trouble.hint == "`kubectl -n linkerd-smi scale deploy/smi-adaptor --replicas=1`"


def test_missing_pods_are_counted_and_an_absent_number_of_replicas_means_one() -> None:
    assert error(running(replicas=None)) == "0 of 1 pods of Deployment smi-adaptor are there"
    assert error(running(pod(), replicas=2)).startswith("1 of 2 pods")


def test_a_waiting_container_says_why_it_waits() -> None:
    reason = {"reason": "ImagePullBackOff", "message": "no such image"}
    found = pod(status("smi-adaptor", False, waiting=reason), phase="Pending")
    assert error(running(found)) == (
        "container smi-adaptor of pod smi-adaptor-1 waits: ImagePullBackOff: no such image"
    )


def test_a_pod_that_fits_no_node_says_what_the_scheduler_said() -> None:
    conditions = [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes fit"}]
    found = pod(status("other"), phase="Pending", conditions=conditions)
    assert error(running(found)) == "pod smi-adaptor-1 is Pending: 0/3 nodes fit"


def test_a_container_that_is_not_ready_or_not_known_yet_is_named() -> None:
    ended = {"reason": "OOMKilled"}
    found = pod(status("smi-adaptor", False, terminated=ended), status("linkerd-proxy"))
    assert error(running(found)).endswith("smi-adaptor-1 is not ready: OOMKilled")
    assert "container smi-adaptor" in error(running(pod(status("linkerd-proxy"))))


def test_an_unhealthy_proxy_says_where_its_log_is() -> None:
    found = pod(status("smi-adaptor"), status("linkerd-proxy", False))
    trouble = pods.proxies([found], NAMESPACE)
    assert trouble == Trouble(
        "the linkerd-proxy of pod smi-adaptor-1 is not ready",
        "`kubectl -n linkerd-smi logs smi-adaptor-1 -c linkerd-proxy`",
    )
