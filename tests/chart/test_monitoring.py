"""What Prometheus and Grafana are told fits what the adaptor serves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.chart.render import CHART, ROOT, container, one, render
from tests.cluster.prometheus import Prometheus

DASHBOARD = CHART / "dashboards" / "smi-adaptor.json"
# A histogram's series bear the name of the metric and one of these.
_SERIES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}


def _queries() -> list[str]:
    dashboard = json.loads(DASHBOARD.read_text())
    found = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return [*found, *(v["query"] for v in dashboard["templating"]["list"])]


def _metrics() -> Iterator[tuple[str, str, set[str]]]:
    """Name, type and labels of each metric; a test of the adaptor's proves that page right."""
    page = (ROOT / "docs" / "metrics.md").read_text()
    for name, kind, labels in re.findall(r"^\| `(\w+)` \| (\w+) \|([^|]*)\|", page, re.MULTILINE):
        yield name, kind, set(re.findall(r"\w+", labels))


def test_the_dashboard_asks_only_for_series_that_there_are() -> None:
    served = {f"{name}{part}" for name, kind, _ in _metrics() for part in _SERIES[kind]}
    asked = {name for query in _queries() for name in re.findall(r"smi_adaptor_\w+", query)}
    assert asked
    assert asked <= served


def test_the_dashboard_shows_every_metric_of_the_adaptors_own() -> None:
    text = " ".join(_queries())
    for name, _, _ in _metrics():
        if name.startswith("smi_adaptor_"):
            assert re.search(rf"\b{name}(_bucket|_sum|_count)?\b", text), name


def test_the_dashboard_groups_by_labels_that_there_are() -> None:
    known = {label for _, _, labels in _metrics() for label in labels}
    # What Prometheus adds to each series when it scrapes a pod, and to a histogram's buckets.
    known |= {"namespace", "pod", "le"}
    for query in _queries():
        for labels in re.findall(r"\b(?:by|on) \(([^)]*)\)", query):
            assert set(re.split(r",\s*", labels)) <= known, query


def test_a_prometheus_understands_every_question_of_the_dashboard(prometheus: Prometheus) -> None:
    for query in _queries():
        if query != "prometheus" and not query.startswith("label_values"):  # Grafana's own words
            # It answers 400, and so this raises, when it can't read a query.
            prometheus.ask(query.replace("$__rate_interval", "1m").replace("$namespace", ".*"))


def test_every_panel_has_a_place_of_its_own() -> None:
    taken: dict[tuple[int, int], str] = {}
    panels: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_the_config_map_holds_the_dashboard_under_the_sidecars_label(helm: Path) -> None:
    rendered = render(
        helm,
        "--set=grafanaDashboard.enabled=true,grafanaDashboard.labels.team=mesh",
        "--set=grafanaDashboard.annotations.grafana_folder=Linkerd",
    )
    found = one(rendered, "ConfigMap", "smi-adaptor-dashboard")
    assert found["metadata"]["labels"] == {
        "grafana_dashboard": "1",
        "team": "mesh",
        "linkerd.io/extension": "smi",
    }
    assert found["metadata"]["annotations"] == {"grafana_folder": "Linkerd"}
    assert json.loads(found["data"]["smi-adaptor.json"]) == json.loads(DASHBOARD.read_text())


def test_the_pod_monitor_scrapes_the_adaptors_own_port(helm: Path) -> None:
    rendered = render(
        helm,
        "--set=podMonitor.enabled=true,podMonitor.interval=10s,podMonitor.labels.release=stack",
    )
    found = one(rendered, "PodMonitor")
    assert found["metadata"]["labels"]["release"] == "stack"
    pods = one(rendered, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert found["spec"]["selector"]["matchLabels"].items() <= pods.items()
    (endpoint,) = found["spec"]["podMetricsEndpoints"]
    (port,) = container(rendered)["ports"]
    assert endpoint == {"port": port["name"], "path": "/metrics", "interval": "10s"}


def test_the_network_policy_lets_in_the_admin_port_and_the_proxys_alone(helm: Path) -> None:
    rendered = render(
        helm,
        "--set=networkPolicy.enabled=true,linkerdNamespace=l5d,networkPolicy.apiServerPorts={8443}",
        "--set=networkPolicy.from[0].podSelector.matchLabels.app=prometheus",
    )
    spec = one(rendered, "NetworkPolicy")["spec"]
    pods = one(rendered, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert spec["podSelector"]["matchLabels"].items() <= pods.items()
    (rule,) = spec["ingress"]
    assert {port["port"] for port in rule["ports"]} == {9995, 4143, 4190, 4191}
    assert rule["from"] == [{"podSelector": {"matchLabels": {"app": "prometheus"}}}]
    anywhere, linkerd = spec["egress"]
    assert {port["port"] for port in anywhere["ports"]} == {53, 8443}
    assert "to" not in anywhere
    (peer,) = linkerd["to"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "l5d"}
