"""`linkerd-smi translate`: profiles on stdout, findings on stderr, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from reactor.cli import extension

SPLIT = """\
apiVersion: split.smi-spec.io/{version}
kind: TrafficSplit
metadata: {{name: {name}, namespace: shop}}
spec: {{service: {service}, backends: [{backends}]}}
"""


@dataclass
class Ended:
    code: int
    out: str
    err: str

    @property
    def profiles(self) -> dict[str, dict[str, str]]:
        """Weights by authority, by the name of the profile."""
        return {
            found["metadata"]["name"]: {
                one["authority"]: one["weight"] for one in found["spec"]["dstOverrides"]
            }
            for found in yaml.safe_load_all(self.out)
        }


class Shell:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def write(self, text: str, name: str = "splits.yaml") -> None:
        (self.folder / name).write_text(text)

    def translate(self, *arguments: str, file: str = "splits.yaml") -> Ended:
        code = extension._run(["translate", "-f", file, *arguments])
        out, err = self._capsys.readouterr()
        return Ended(code, out, err)


@pytest.fixture
def shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path, capsys)


def split(
    *backends: tuple[str, object],
    name: str = "canary",
    service: str = "web",
    version: str = "v1alpha2",
) -> str:
    listed = ", ".join(f"{{service: {leaf}, weight: {weight}}}" for leaf, weight in backends)
    return SPLIT.format(name=name, service=service, version=version, backends=listed)


def test_a_split_becomes_the_profile_that_the_adaptor_would_write(shell: Shell) -> None:
    shell.write(split(("v1", 500), ("v2", "1e3"), ("v3", "500m")))
    ended = shell.translate()
    assert (ended.code, ended.err) == (0, "")
    assert ended.profiles == {
        "web.shop.svc.cluster.local": {
            "v1.shop.svc.cluster.local": "500",
            "v2.shop.svc.cluster.local": "1k",
            "v3.shop.svc.cluster.local": "500m",
        }
    }


def test_the_profiles_as_json_are_one_list_for_kubectl(shell: Shell) -> None:
    shell.write("---\n".join([split(("v1", 1)), split(("v1", 1), service="api", name="b")]))
    found = json.loads(shell.translate("-o", "json").out)
    assert found["kind"] == "List"
    names = [item["metadata"]["name"] for item in found["items"]]
    assert names == ["api.shop.svc.cluster.local", "web.shop.svc.cluster.local"]


def test_an_invalid_split_is_an_error_and_no_profile(shell: Shell) -> None:
    shell.write("# first line\n" + split(("v1", -1)))
    ended = shell.translate()
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == (
        "splits.yaml:2: error InvalidWeight shop/canary: spec.backends[0].weight: the number -1"
        " is negative; expected 0 or more\n"
    )


def test_the_older_split_becomes_the_profile_and_the_other_is_a_warning(shell: Shell) -> None:
    def aged(name: str, month: int) -> str:
        born = f"name: {name}, creationTimestamp: 2026-0{month}-01T00:00:00Z,"
        return split((f"of-{name}", 1), name=name).replace(f"name: {name},", born)

    shell.write(aged("a", 2) + "---\n" + aged("b", 1))
    ended = shell.translate()
    assert ended.code == 0
    assert list(ended.profiles.values()) == [{"of-b.shop.svc.cluster.local": "1"}]
    assert ended.err.startswith("splits.yaml:1: warning ShadowedBy shop/a: ")


def test_without_any_age_the_name_decides_and_the_finding_says_so(shell: Shell) -> None:
    shell.write(split(("v1", 1), name="b") + "---\n" + split(("v2", 1), name="a"))
    ended = shell.translate()
    assert list(ended.profiles.values()) == [{"v2.shop.svc.cluster.local": "1"}]
    assert ended.err.startswith("splits.yaml:1: warning ShadowedBy shop/b: ")
    assert ended.err.endswith("(without a creationTimestamp the name decides)\n")


def test_an_invalid_winner_leaves_no_profile_though_another_split_is_valid(shell: Shell) -> None:
    shell.write(split(("v1", "lots"), name="a") + "---\n" + split(("v2", 1), name="b"))
    ended = shell.translate()
    assert (ended.code, ended.out) == (1, "")
    assert [line.split(" ")[1:3] for line in ended.err.splitlines()] == [
        ["error", "InvalidWeight"],
        ["warning", "ShadowedBy"],
    ]


def test_warnings_alone_fail_only_when_asked_to(shell: Shell) -> None:
    shell.write(split(("v1", 0)))
    assert shell.translate().code == 0
    ended = shell.translate("--fail-on", "warning")
    assert ended.code == 1
    assert "warning AllWeightsZero shop/canary" in ended.err
    assert ended.profiles  # written as they are


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (split(("v1", 1), ("v1", 2)), "DuplicateBackend"),
        (split(("v1", 400_000), ("v2", 400_000)), "WeightsScaled"),
        (split(("v1", "0.0001"), ("v2", 400_000)), "WeightRounded"),
        (split(), "NoBackends"),
        (split(("v1", 1), service="web.other"), "CrossNamespace"),
        (split(("v1", "lots")), "InvalidWeight"),
        (split(("v1", 1), service="[1]"), "InvalidSplit"),
        (
            split(("v1", 1)).replace("backends", "matches: [{kind: X}], backends"),
            "UnsupportedMatches",
        ),
        (split(("v1", 1), version="v2"), "InvalidSplit"),
        (split(("v1", 1)).replace("name: canary, ", ""), "InvalidSplit"),
    ],
)
def test_every_finding_about_a_split_alone_is_told(shell: Shell, text: str, reason: str) -> None:
    shell.write(text)
    ended = shell.translate("--fail-on=warning")
    assert ended.code == 1
    assert reason in {line.split(" ")[2] for line in ended.err.splitlines()}


def test_services_are_judged_where_the_input_has_some(shell: Shell) -> None:
    service = "---\napiVersion: v1\nkind: Service\nmetadata: {{name: {0}, namespace: {1}}}\n"
    shell.write(split(("v1", 1)) + service.format("web", "elsewhere"))
    assert shell.translate().err == ""
    shell.write(split(("v1", 1)) + service.format("web", "shop"))
    assert shell.translate().err == (
        "splits.yaml:1: warning ServiceNotFound shop/canary: there is no Service v1 in namespace"
        " shop (of those given)\n"
    )
    headless = service.format("v1", "shop") + "spec: {clusterIP: None}\n"
    shell.write(split(("v1", 1)) + service.format("web", "shop") + headless)
    assert "warning HeadlessService shop/canary" in shell.translate().err


def test_other_documents_are_passed_over_and_lists_are_opened(shell: Shell) -> None:
    item = split(("v1", 1)).replace("\n", "\n  ").rstrip()
    shell.write(
        "just: values\n---\n- 1\n---\nkind: Deployment\napiVersion: apps/v1\n---\n"
        f"apiVersion: v1\nkind: List\nitems:\n- {item}\n---\n"
        "apiVersion: split.other.io/v1\nkind: TrafficSplit\nmetadata: {name: not-ours}\n"
    )
    ended = shell.translate()
    assert (ended.code, ended.err) == (0, "")
    assert list(ended.profiles) == ["web.shop.svc.cluster.local"]


def test_no_split_at_all_is_told_and_no_failure(shell: Shell) -> None:
    shell.write("kind: Deployment\napiVersion: apps/v1\n")
    ended = shell.translate("--fail-on=warning")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "no TrafficSplit among 1 document\n"


def test_the_last_of_two_documents_of_one_split_counts_as_with_kubectl(shell: Shell) -> None:
    shell.write(split(("v1", 1)) + "---\n" + split(("v2", 1)))
    ended = shell.translate()
    assert list(ended.profiles.values()) == [{"v2.shop.svc.cluster.local": "1"}]
    assert ended.err.startswith("splits.yaml:1: warning GivenTwice shop/canary: ")
    assert "splits.yaml:6" in ended.err


def test_a_folder_is_read_as_kubectl_reads_it(shell: Shell) -> None:
    (shell.folder / "folder" / "deeper").mkdir(parents=True)
    shell.write(split(("v1", 1), name="b", service="b"), "folder/2.yml")
    shell.write(split(("v1", 1), name="a", service="a"), "folder/1.yaml")
    document = yaml.safe_load(split(("v1", 1), name="c", service="c"))
    shell.write(json.dumps(document, indent="\t"), "folder/3.json")
    shell.write(split(("v1", "lots")), "folder/notes.txt")
    shell.write(split(("v1", "lots")), "folder/deeper/4.yaml")
    ended = shell.translate(file="folder")
    assert (ended.code, ended.err) == (0, "")
    assert [name[0] for name in ended.profiles] == ["a", "b", "c"]


def test_namespace_and_domain_are_those_given(shell: Shell) -> None:
    shell.write(split(("v1", 1)).replace(", namespace: shop", ""))
    ended = shell.translate("-n=till", "--cluster-domain", "corp.example")
    assert ended.profiles == {"web.till.svc.corp.example": {"v1.till.svc.corp.example": "1"}}
    assert "web.default.svc.cluster.local" in shell.translate().profiles
    assert shell.translate("-n", "no_namespace").code == 2
    assert shell.translate("--cluster-domain", "Corp Example").code == 2


def test_the_table_has_a_row_for_each_split(shell: Shell) -> None:
    texts = [
        split(("v1", 90), ("v2", 10)),
        split(("v1", 1), name="late"),
        split(("v1", "lots"), name="wrong", service="api"),
        split(name="empty", service="api"),
    ]
    shell.write("---\n".join(texts))
    lines = shell.translate("-o=table").out.splitlines()
    assert [line.split() for line in lines] == [
        ["NAMESPACE", "SPLIT", "SERVICE", "RESULT", "OVERRIDES", "FINDINGS"],
        ["shop", "canary", "web", "profile", "v1=90,v2=10"],
        ["shop", "late", "web", "shadowed", "ShadowedBy"],
        ["shop", "wrong", "api", "invalid", "InvalidWeight"],
        ["shop", "empty", "api", "none", "NoBackends"],
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: {c: 2\nd: 3\n", "splits.yaml:3: not YAML: "),
        ("a: 1\nb: .inf\n", "splits.yaml:2: not YAML: '.inf' is no number"),
    ],
)
def test_what_is_no_yaml_is_one_line_with_the_place(shell: Shell, text: str, message: str) -> None:
    shell.write(split(("v1", 1)), "good.yaml")
    shell.write(text)
    ended = shell.translate("-f", "good.yaml")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"linkerd-smi: {message}")
    assert ended.err.count("\n") == 1


def test_what_can_not_be_read_is_named(shell: Shell) -> None:
    (shell.folder / "empty").mkdir()
    (shell.folder / "latin.yaml").write_bytes(b"a: 1\nb: \xff\n")
    for file, word in (("gone", "No such file"), ("empty", "no .yaml"), ("latin.yaml", ":2: not")):
        ended = shell.translate(file=file)
        assert ended.code == 2
        assert word in ended.err
    assert extension._run(["translate"]) == 2


def test_hostile_documents_are_findings_and_no_crash(shell: Shell) -> None:
    shell.write(
        split(("v1", 1)).replace("spec:", "x: &a [*a]\nspec:")
        + "---\n"
        + split(("v1", "9" * 2000), name="huge")
        + "---\n"
        + split(("v1", 1), name='"two\\nlines"').replace("v1alpha2", "v9")
    )
    ended = shell.translate()
    assert ended.code == 1
    assert [line.split(" ")[1] for line in ended.err.splitlines()] == ["error"] * 3


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ("{name: Canary}", "name"),
        ("{name: a b}", "name"),
        ("{name: ü}", "name"),
        ("{name: [a]}", "name"),
        ("{generateName: canary-}", "name"),
        ("[1]", "name"),
        (f"{{name: {'x' * 254}}}", "name"),
        ("{name: a, namespace: b.c}", "namespace"),
        ("{name: a, namespace: [b]}", "namespace"),
        (f"{{name: a, namespace: {'x' * 64}}}", "namespace"),
    ],
)
def test_an_object_that_can_have_no_such_name_becomes_no_profile(
    shell: Shell, metadata: str, field: str
) -> None:
    shell.write(split(("v1", 1)).replace("{name: canary, namespace: shop}", metadata))
    ended = shell.translate()
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("splits.yaml:1: error InvalidSplit ")
    assert f": metadata.{field}: " in ended.err


def test_a_pipe_gives_the_input_and_closes_the_output() -> None:
    command = [sys.executable, "-m", "reactor.cli.extension", "translate", "-f", "-"]
    ended = subprocess.run(
        command, input=split(("v1", 1)), capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "name: web.shop.svc.cluster.local" in ended.stdout
    ended = subprocess.run(
        command, input=split(("v1", -1)), capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.stderr.startswith("<stdin>:1: error InvalidWeight ")
