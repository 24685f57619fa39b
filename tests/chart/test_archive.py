"""What the chart makes of the values for the archive and for the readers of the log."""

from __future__ import annotations

from pathlib import Path

from reactor.settings import FLAGS, Settings
from tests.chart.render import NAMESPACE, container, one, render
from tests.cluster.api import Object, Objects

ARCHIVE = "--set=audit.archive.existingSecret=archive"


def _variables(rendered: Objects) -> dict[str, Object]:
    return {variable["name"]: variable for variable in container(rendered)["env"]}


def test_the_url_comes_from_the_secret_by_the_variable_that_the_adaptor_reads(helm: Path) -> None:
    rendered = render(helm, ARCHIVE, "--set=audit.archive.key=dsn")
    (flag,) = (one for one in FLAGS.flags if one.name == "archive-url")
    reference = _variables(rendered)[FLAGS.variable(flag)]["valueFrom"]
    assert reference == {"secretKeyRef": {"name": "archive", "key": "dsn"}}
    url = "postgresql://smi:secret@db.example/audit"
    settings = Settings.from_command_line(
        container(rendered)["args"], {"POD_NAMESPACE": NAMESPACE, FLAGS.variable(flag): url}
    )
    assert settings.archive_url is not None
    assert "secret" not in str(settings.archive_url)


def test_without_an_archive_nothing_speaks_of_one(helm: Path) -> None:
    rendered = render(helm, "--set=networkPolicy.enabled=true")
    assert set(_variables(rendered)) == {"POD_NAMESPACE", "POD_NAME"}
    assert len(one(rendered, "NetworkPolicy")["spec"]["egress"]) == 2
    assert not any("archive" in flag for flag in container(rendered)["args"])


def test_an_authority_is_mounted_and_makes_the_client_verify_the_server(helm: Path) -> None:
    rendered = render(helm, ARCHIVE, "--set=audit.archive.ca.existingSecret=authority")
    variables = _variables(rendered)
    assert variables["PGSSLMODE"]["value"] == "verify-full"
    (_, mount) = container(rendered)["volumeMounts"]
    assert mount["readOnly"]
    (_, volume) = one(rendered, "Deployment")["spec"]["template"]["spec"]["volumes"]
    assert volume["name"] == mount["name"]
    items = [{"key": "ca.crt", "path": "ca.crt"}]
    assert volume["secret"] == {"secretName": "authority", "items": items}
    assert variables["PGSSLROOTCERT"]["value"] == f"{mount['mountPath']}/ca.crt"


def test_the_network_policy_lets_the_archive_be_reached(helm: Path) -> None:
    rendered = render(
        helm, ARCHIVE, "--set=networkPolicy.enabled=true,networkPolicy.archivePorts={5433}"
    )
    assert one(rendered, "NetworkPolicy")["spec"]["egress"][-1] == {
        "ports": [{"port": 5433, "protocol": "TCP"}]
    }


def test_readers_are_bound_to_the_readers_role_and_nobody_is_without_values(helm: Path) -> None:
    readers = (
        "--set=audit.readers[0].kind=Group,audit.readers[0].name=auditors",
        "--set=audit.readers[1].kind=ServiceAccount,audit.readers[1].name=reader",
    )
    name = "smi-adaptor-audit-reader"
    binding = one(render(helm, *readers), "ClusterRoleBinding", name)
    assert binding["roleRef"]["name"] == name
    assert binding["subjects"] == [
        {"kind": "Group", "name": "auditors", "apiGroup": "rbac.authorization.k8s.io"},
        {"kind": "ServiceAccount", "name": "reader", "namespace": NAMESPACE},
    ]
    bindings = [o for o in render(helm) if o["kind"] == "ClusterRoleBinding"]
    assert name not in {o["metadata"]["name"] for o in bindings}
