"""The questions that our roles make, and their answers."""

from __future__ import annotations

from typing import Any

from reactor.check import rights
from reactor.check.rights import Right
from tests.cluster.crds import REPOSITORY, load


def shipped(name: str) -> dict[str, Any]:
    return load(REPOSITORY / "config" / "rbac" / f"{name}.yaml")[0]


def test_each_verb_of_the_roles_we_ship_is_one_question() -> None:
    found = rights.rights([shipped("clusterrole"), shipped("role")], "apps")
    profiles = {right.verb for right in found if right.resource == "serviceprofiles"}
    assert profiles == {"get", "list", "watch", "create", "patch", "delete"}
    leases = [right for right in found if right.resource == "leases"]
    assert {right.namespace for right in leases} == {"apps"}
    update = next(right for right in leases if right.verb == "update")
    assert update.name == "smi-adaptor"
    assert str(update) == "update leases.coordination.k8s.io/smi-adaptor in apps"


def test_a_question_is_about_the_asker_or_about_the_account() -> None:
    right = Right("linkerd.io", "serviceprofiles", "patch")
    attributes = {"group": "linkerd.io", "resource": "serviceprofiles", "verb": "patch"}
    path, own = rights.review(right, None)
    assert path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    assert own["spec"] == {"resourceAttributes": attributes}
    path, about = rights.review(right, "apps")
    assert path == "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    assert about["spec"]["user"] == "system:serviceaccount:apps:smi-adaptor"
    assert "system:serviceaccounts:apps" in about["spec"]["groups"]


def test_what_is_missing_is_told_in_words() -> None:
    install = "`linkerd smi install | kubectl apply -f -`"
    assert rights.sufficient([], install) is None
    trouble = rights.sufficient([Right("", "services", "watch")], install)
    assert trouble is not None
    assert trouble.error == "ServiceAccount smi-adaptor may not watch services"
    assert trouble.hint == install


def test_who_may_not_ask_is_told_so_and_warned_only() -> None:
    trouble = rights.unknown("apps")
    assert trouble.warning
    assert "neither impersonate" in trouble.error
