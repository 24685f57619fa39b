"""The kustomize base is what the chart makes of its defaults."""

from __future__ import annotations

import textwrap
from pathlib import Path

from tests.chart.render import NAMESPACE, ROOT, kustomized, one, render
from tests.cluster.api import Object, Objects

BASE = ROOT / "config" / "default"


def _by_name(objects: Objects) -> dict[tuple[str, str], Object]:
    return {(o["kind"], o["metadata"]["name"]): o for o in objects}


def test_it_makes_the_charts_objects_and_their_namespace(helm: Path, kubectl: Path) -> None:
    made = _by_name(kustomized(kubectl, BASE))
    namespace = made.pop(("Namespace", NAMESPACE))
    assert namespace["metadata"]["labels"] == {"linkerd.io/extension": "smi"}
    expected = _by_name(render(helm))
    assert made.keys() == expected.keys()
    for name, rendered in expected.items():
        assert made[name] == rendered, name


def test_an_overlay_may_change_the_namespace_and_the_image(kubectl: Path, tmp_path: Path) -> None:
    base = Path(*[".."] * len(tmp_path.parts[1:])) / BASE.relative_to("/")
    (tmp_path / "kustomization.yaml").write_text(
        textwrap.dedent(
            f"""\
            namespace: mesh
            resources: ["{base}"]
            images:
              - name: ghcr.io/linkerd-smi-reactor/smi-adaptor
                newName: mirror.example.org/smi-adaptor
            """
        )
    )
    made = kustomized(kubectl, tmp_path)
    (container,) = one(made, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["image"].startswith("mirror.example.org/smi-adaptor:")
    assert one(made, "Namespace", "mesh")["metadata"]["labels"]["linkerd.io/extension"] == "smi"
    for kind in ("ClusterRoleBinding", "RoleBinding"):
        assert one(made, kind)["subjects"][0]["namespace"] == "mesh"
