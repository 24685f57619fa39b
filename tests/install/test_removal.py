"""What `uninstall` says of Helm, by what bears its marks."""

from __future__ import annotations

from typing import Any

from reactor.install.removal import removal

Object = dict[str, Any]


def of_helm(kind: str, **more: str) -> Object:
    annotations = {
        "meta.helm.sh/release-name": "smi",
        "meta.helm.sh/release-namespace": "mesh",
        **more,
    }
    metadata = {"name": "smi-adaptor", "namespace": "mesh", "annotations": annotations}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata}


def test_a_release_that_left_only_what_it_keeps_is_not_to_be_uninstalled_again() -> None:
    kept = of_helm("PersistentVolumeClaim", **{"helm.sh/resource-policy": "keep"})
    plan = removal([kept], shared=(), keep_definition=False)
    assert (plan.releases, plan.claims) == ([], ["mesh/smi-adaptor"])
    whole = removal([kept, of_helm("ServiceAccount")], shared=(), keep_definition=False)
    assert whole.releases == ["mesh/smi"]
