"""The sample application and split that this project ships, against what the guide says of them."""

from __future__ import annotations

import pytest
import yaml

from tests.cluster.api import Api, Object
from tests.cluster.crds import REPOSITORY, load
from tests.cluster.resources import NAMESPACES, PODS
from tests.guide.pictures import table
from tests.guide.steps import step

SAMPLES = REPOSITORY / "config" / "samples"
APPLICATION = load(SAMPLES / "2-application.yaml")
DEPLOYMENTS = [one for one in APPLICATION if one["kind"] == "Deployment"]


def test_the_sample_split_is_the_guides() -> None:
    _, *lines, _ = step("cat <<EOF").command.splitlines()
    assert load(SAMPLES / "3-trafficsplit.yaml") == [yaml.safe_load("\n".join(lines))]


def test_the_sample_application_has_the_guides_deployments_and_services() -> None:
    shown = [row["NAME"] for row in table(step("kubectl get deployments").output)]
    assert [one["metadata"]["name"] for one in DEPLOYMENTS] == shown
    services = {one["metadata"]["name"]: one for one in APPLICATION if one["kind"] == "Service"}
    assert sorted(services) == ["backend-svc", "failing-svc"]
    for name, service in services.items():
        selected = service["spec"]["selector"]
        (deployment,) = [
            one
            for one in DEPLOYMENTS
            if one["spec"]["template"]["metadata"]["labels"].items() >= selected.items()
        ]
        assert name == f"{deployment['metadata']['name']}-svc"


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda one: one["metadata"]["name"])
async def test_the_sample_runs_where_pod_security_is_restricted(
    admin: Api, cluster_namespace: str, deployment: Object
) -> None:
    enforced = {"pod-security.kubernetes.io/enforce": "restricted"}
    await admin.patch(NAMESPACES, cluster_namespace, {"metadata": {"labels": enforced}})
    template = deployment["spec"]["template"]
    pod = {"apiVersion": "v1", "kind": "Pod", **template}
    pod["metadata"] = {**template["metadata"], "name": "restricted"}
    answered, body = await admin.request(
        "POST", PODS.path(cluster_namespace), json_body=pod, params={"dryRun": "All"}
    )
    assert answered == 201, body
