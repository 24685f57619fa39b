"""kubectl, the real one: apply, patch, replace and delete."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.cluster.api import Object
from tests.contract.cluster import Cluster
from tests.writers.follower import Follower

APPLY, PATCH, REPLACE = "kubectl-client-side-apply", "kubectl-patch", "kubectl-replace"


async def run(kubectl: Path, cluster: Cluster, *arguments: str, stdin: Object | None = None) -> str:
    """One command as its user types it."""
    if cluster.sandbox is not None:
        kubeconfig = cluster.directory / "admin.kubeconfig"
    else:
        assert cluster.plane is not None
        kubeconfig = cluster.plane.admin_kubeconfig
    process = await asyncio.create_subprocess_exec(
        str(kubectl),
        f"--kubeconfig={kubeconfig}",
        f"--cache-dir={cluster.directory / 'cache'}",
        f"--namespace={cluster.namespace}",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(json.dumps(stdin).encode() if stdin else None)
    assert process.returncode == 0, err.decode()
    return out.decode()


async def test_a_split_from_its_first_apply_to_its_end(kubectl: Path, cluster: Cluster) -> None:
    follower = await Follower.of(cluster, "web", "a", "b")
    split = cluster.split("s", "web", [("a", 500), ("b", 500)], version="v1alpha2")
    await run(kubectl, cluster, "apply", "-f-", stdin=split)
    await follower.follows(("a", "500"), ("b", "500"))

    told = await run(kubectl, cluster, "apply", "-f-", stdin=split)
    assert "unchanged" in told
    split["spec"]["backends"][0]["weight"] = 0.5
    await run(kubectl, cluster, "apply", "-f-", stdin=split)
    await follower.follows(("a", "500m"), ("b", "500"))
    operations = '[{"op": "replace", "path": "/spec/backends/0/weight", "value": "1e3"}]'
    await run(kubectl, cluster, "patch", "ts", "s", "--type=json", f"--patch={operations}")
    await follower.follows(("a", "1e3"), ("b", "500"))
    split["apiVersion"] = "split.smi-spec.io/v1alpha1"
    split["spec"]["backends"].reverse()
    await run(kubectl, cluster, "replace", "-f-", stdin=split)
    await follower.follows(("b", "500"), ("a", "500m"))
    await run(kubectl, cluster, "delete", "ts", "s")
    await follower.ends()

    await follower.tells("s", APPLY, APPLY, PATCH, REPLACE, "unknown")
