"""What a Deployment and an admin port tell of the adaptor."""

from __future__ import annotations

import pytest

from reactor.check import adaptor
from reactor.check.adaptor import Report
from reactor.check.adminport import measured
from reactor.check.kinds import Deployment
from reactor.check.result import Result
from reactor.errors import Retryable
from reactor.translate.situation import Rules
from tests.check.objects import GO, NAMESPACE, OURS, container, deployment, pod
from tests.cluster.crds import REPOSITORY

METRICS = """\
# HELP smi_adaptor_build_info What runs; always 1.
# TYPE smi_adaptor_build_info gauge
smi_adaptor_build_info{python="3.13.1",version="0.1.0"} 1.0
# TYPE smi_adaptor_journal_gap_rows_total counter
smi_adaptor_journal_gap_rows_total 7.0
# TYPE smi_adaptor_journal_degraded gauge
smi_adaptor_journal_degraded 1.0
"""
FINE = Report("smi-adaptor-1", (), "0.1.0", 0, False)


def with_volume(args: tuple[str, ...] = (), **volume: object) -> Deployment:
    mounts = [{"name": "root", "mountPath": "/"}, {"name": "audit", "mountPath": "/data"}]
    return deployment(
        container(args=list(args), volumeMounts=mounts),
        volumes=[{"name": "root", "hostPath": {}}, {"name": "audit", **volume}],
    )


def kept(found: Deployment) -> Result:
    return adaptor.kept(found, NAMESPACE)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (OURS, "0.1.0"),
        ("localhost:5000/smi-adaptor", ""),
        ("localhost:5000/a/smi-adaptor:v1@sha256:0123", "v1"),
    ],
)
def test_the_tag_is_what_follows_the_last_name(image: str, expected: str) -> None:
    assert adaptor.tag(image) == expected


def test_the_go_adaptor_is_known_by_its_tag_whatever_the_registry() -> None:
    mirrored = "registry.corp.example:5000/mesh/smi-adaptor:v0.2.4"
    assert adaptor.go_adaptor(deployment(container(image=GO))) == GO
    assert adaptor.go_adaptor(deployment(container(image=mirrored))) == mirrored
    assert adaptor.go_adaptor(deployment()) is None


def test_the_admin_port_is_found_by_its_name_and_is_9995_otherwise() -> None:
    ports = [{"containerPort": 1}, {"containerPort": 7, "name": "admin-http"}]
    assert adaptor.port(deployment(container(ports=ports)).spec.template.spec) == 7
    assert adaptor.port(pod().spec) == 9995


def test_the_rules_are_those_of_the_adaptors_flags_and_variables() -> None:
    found = deployment(
        container(
            args=["-cluster-domain=$(DOMAIN)", "-orphans", "keep"],
            env=[{"name": "DOMAIN", "value": "k8s.example"}, {"name": "POD_NAME"}],
        )
    )
    assert adaptor.rules(found) == Rules("k8s.example", "keep")
    variable = {"name": "SMI_ADAPTOR_ORPHANS", "value": "clear"}
    assert adaptor.rules(deployment(container(env=[variable]))).orphans == "clear"


@pytest.mark.parametrize("args", [["-no-such-flag"], ["--help"], None])
def test_flags_that_cannot_be_read_leave_the_defaults(args: list[str] | None) -> None:
    assert adaptor.rules(deployment(container(args=args))) == Rules()
    assert adaptor.rules(None) == Rules()


def test_an_emptydir_is_fine_and_says_that_the_log_goes_with_the_pod() -> None:
    found = kept(with_volume(emptyDir={}))
    assert found.result == "success"
    assert "emptyDir: it goes with the pod" in found.description
    assert found.hint == (
        "`linkerd smi install --set audit.persistence.enabled=true | kubectl apply -f -`"
    )


def test_a_claim_keeps_the_log() -> None:
    claim = {"claimName": "audit"}
    assert kept(with_volume(persistentVolumeClaim=claim)) == Result(
        "SMI adaptor's audit log is kept"
    )


def test_the_volume_is_the_one_below_the_file_that_is_written() -> None:
    elsewhere = with_volume(("-audit-url=/var/log/audit.sqlite",), emptyDir={})
    assert kept(elsewhere) == Result("SMI adaptor's audit log is kept")


def test_a_log_on_no_volume_is_a_warning() -> None:
    found = kept(deployment())
    assert found.result == "warning"
    assert "/data/audit.sqlite is on no volume" in found.error


def test_install_is_told_as_the_objects_came() -> None:
    helm = deployment(annotations={"meta.helm.sh/release-name": "smi-1"})
    assert adaptor.install(helm, "apps") == (
        "`helm upgrade smi-1 l5d-smi/linkerd-smi --namespace apps`"
    )
    assert "--reuse-values --set a.b=1" in adaptor.install(helm, "apps", "a.b=1")
    assert adaptor.install(None, "linkerd-smi") == "`linkerd smi install | kubectl apply -f -`"
    assert "install --namespace apps |" in adaptor.install(deployment(), "apps")


def test_a_report_is_read_from_the_metrics() -> None:
    assert measured("a", ("b",), METRICS) == Report("a", ("b",), "0.1.0", 7, True)
    assert measured("a", (), "go_goroutines 7\n") == Report("a", (), None, 0, False)
    with pytest.raises(Retryable, match="a: /metrics answers no metrics"):
        measured("a", (), "<html>sorry</html>")


def test_what_an_adaptor_waits_for_is_told() -> None:
    waiting = Report("b", ("no lease", "no list"), "0.1.0", 0, False)
    assert adaptor.ready([FINE], NAMESPACE) is None
    trouble = adaptor.ready([FINE, waiting], NAMESPACE)
    assert trouble is not None
    assert (trouble.error, trouble.warning) == ("b: no lease, no list", False)


def test_gaps_and_a_log_that_is_not_written_are_warnings() -> None:
    assert adaptor.complete([FINE], NAMESPACE) is None
    trouble = adaptor.complete([measured("a", (), METRICS)], NAMESPACE)
    assert trouble is not None
    assert trouble.warning
    assert (
        trouble.error
        == "a: 7 rows could not be kept since it started; a: the log can't be written now"
    )


def test_versions_are_compared_by_what_runs_rather_than_by_its_tag() -> None:
    assert adaptor.same_version(deployment(), [FINE], "0.1.0", NAMESPACE) is None
    assert adaptor.same_version(deployment(), [], "0.1.0", NAMESPACE) is None
    mirrored = deployment(container(image="corp.example/smi:prod"))
    assert adaptor.same_version(mirrored, [FINE], "0.1.0", NAMESPACE) is None


def test_without_an_adaptor_there_is_no_version_to_be_the_same() -> None:
    absent = adaptor.same_version(None, [], "0.1.0", NAMESPACE)
    assert absent is not None
    assert absent.warning
    assert absent.error == "not checked: there is no adaptor"
    digest = deployment(container(image=f"corp.example/smi@sha256:{'0' * 64}"))
    silent = adaptor.same_version(digest, [], "0.1.0", NAMESPACE)
    assert silent is not None
    assert silent.error == "not checked: no adaptor tells its version, nor does the image"


def test_another_version_says_both_and_what_to_type() -> None:
    by_report = adaptor.same_version(deployment(), [FINE], "0.2.0", NAMESPACE)
    by_tag = adaptor.same_version(deployment(), [], "0.2.0", NAMESPACE)
    assert by_report == by_tag
    assert by_report is not None
    assert by_report.warning
    assert by_report.error == "the adaptor is 0.1.0, the CLI 0.2.0"
    assert by_report.hint == "`linkerd smi install | kubectl apply -f -`"


def test_a_cli_that_is_the_older_one_is_what_to_renew() -> None:
    script = (REPOSITORY / "install").read_text(encoding="utf-8")
    trouble = adaptor.same_version(deployment(), [FINE], "0.0.9", NAMESPACE)
    assert trouble is not None
    piped, _, shell = trouble.hint.strip("`").partition(" | ")
    assert shell == "LINKERD_SMI_VERSION=0.1.0 sh"
    assert f"{piped} | sh" in script
    assert "LINKERD_SMI_VERSION" in script


def test_a_tag_that_is_no_version_makes_the_objects_what_to_renew() -> None:
    trouble = adaptor.same_version(
        deployment(container(image="corp.example/smi:prod")), [], "0.1.0", NAMESPACE
    )
    assert trouble is not None
    assert trouble.hint == "`linkerd smi install | kubectl apply -f -`"


def test_the_go_adaptor_in_our_place_is_another_version() -> None:
    silent = Report("a", (), None, 0, False)
    trouble = adaptor.same_version(deployment(container(image=GO)), [silent], "0.1.0", NAMESPACE)
    assert trouble is not None
    assert trouble.error == f"{GO} runs, the Go adaptor; the CLI is 0.1.0"
