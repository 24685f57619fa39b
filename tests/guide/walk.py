"""The guide from its sample application on, which is the same however SMI was installed."""

from __future__ import annotations

import json

from tests.guide.pictures import described, in_order, logged, table
from tests.guide.shell import Shell
from tests.guide.steps import step
from tests.guide.waiting import until

SAMPLE = "trafficsplit-sample"
PROFILE = f"backend-svc.{SAMPLE}.svc.cluster.local"


def install_the_sample_application(shell: Shell) -> None:
    """The namespace, the three Deployments, and the table of the guide."""
    shell.run(step("kubectl create namespace").command)
    shell.run(step("linkerd inject").command)
    deployments = step("kubectl get deployments")
    wanted = _without_age(deployments.output)
    until(
        lambda: _without_age(shell.run(deployments.command)) == wanted,
        what="the Deployments of the sample",
    )


def configure_the_split(shell: Shell) -> None:
    """The guide's split, and the profile that it shows."""
    assert shell.run(step("cat <<EOF").command).split() == [
        "trafficsplit.split.smi-spec.io/backend-split",
        "created",
    ]
    describe = step("kubectl describe serviceprofile")
    printed = until(lambda: shell.run(describe.command) or None, what="a profile")
    assert described(printed) == described(describe.output)
    line = f"kubectl get serviceprofile -n {SAMPLE} {PROFILE} --show-managed-fields -o json"
    (entry,) = json.loads(shell.run(line))["metadata"]["managedFields"]
    assert entry.pop("time")
    assert entry == {
        "apiVersion": "linkerd.io/v1alpha2",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {".": {}, "f:dstOverrides": {}}},
        "manager": "smi-adaptor",
        "operation": "Update",
    }


def see_the_traffic(shell: Shell) -> None:
    """The guide's table, with both leaves: Linkerd's command for it has long been broken."""
    stat = step("linkerd viz stat")
    # The guide names a namespace that it hasn't got.
    line = stat.command.replace("linkerd viz", "linkerd smi").replace("traffic-sample", SAMPLE)
    assert shell.run(line).rstrip("\n") == stat.output


def read_the_log(shell: Shell, *, namespace: str, address: str) -> None:
    """`kubectl logs`, whose lines are the guide's, in the guide's order."""
    logs = step("kubectl -n linkerd-smi logs")
    wanted = logged(logs.output.replace(":9995", address))
    line = logs.command.replace("-n linkerd-smi", f"-n {namespace}")
    until(lambda: "Successfully synced" in shell.run(line), what="the split's log line")
    printed = logged(shell.run(line))
    assert in_order(wanted, printed) == [], printed
    assert [text for text in printed if "level=error" in text] == []


def clean_up(shell: Shell) -> None:
    """The namespace goes, and all that was in it."""
    shell.run(step("kubectl delete namespace").command)
    assert shell.objects(f"kubectl get serviceprofiles,trafficsplits -n {SAMPLE}") == []


def _without_age(text: str) -> list[dict[str, str]]:
    rows = table(text)
    for row in rows:
        assert row.pop("AGE")
    return rows
