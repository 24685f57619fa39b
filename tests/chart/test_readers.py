"""Whom the chart lets read the audit log is whom a real API server then lets."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.chart.cluster import Shell
from tests.chart.render import NAMESPACE, render
from tests.cluster.api import Api, Resource

REVIEWS = Resource("authorization.k8s.io", "v1", "subjectaccessreviews", namespaced=False)
READERS = (
    "--set=audit.readers[0].kind=Group,audit.readers[0].name=auditors",
    "--set=audit.readers[1].kind=User,audit.readers[1].name=ada",
    "--set=audit.readers[2].kind=ServiceAccount,audit.readers[2].name=reader",
)


async def allowed(api: Api, user: str, group: str) -> bool:
    """Whether they may get the entries."""
    attributes = {"path": "/smi-adaptor/api/v1/entries", "verb": "get"}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "groups": [group], "nonResourceAttributes": attributes},
    }
    return bool((await api.create(REVIEWS, review))["status"]["allowed"])


async def test_they_may_read_and_others_may_not(bare: Api, shell: Shell, helm: Path) -> None:
    account = "system:serviceaccount:{}:reader"
    roles = [one for one in render(helm, *READERS) if one["kind"].startswith("ClusterRole")]
    shell.kubectl("apply", "-f", "-", objects=roles)
    try:
        async with asyncio.timeout(45):
            while not await allowed(bare, "bob", "auditors"):
                pass  # the API server looks at its roles a little later
        assert await allowed(bare, "ada", "staff")
        assert await allowed(bare, account.format(NAMESPACE), "staff")
        assert not await allowed(bare, account.format("default"), "staff")
        assert not await allowed(bare, "bob", "staff")
    finally:
        shell.delete(roles)
