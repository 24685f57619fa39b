"""What kubectl makes of a YAML text is what we make of it: the real kubectl is asked."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from reactor.cli import goyaml
from reactor.sandbox import documents, numbers

LINES = (
    "1 0 -1 +1 007 010 08 0x1F 0X1f 0b101 -0b11 0o17 1_000 _1 1__0 1e3 1E3 1e+3 1e-3 1.5e3 .5 5.",
    "+.5 -.5 ._5 1_0.5 0.1234567890123456789 1e21 1e-7 1e400 9223372036854775807",
    "9223372036854775808 18446744073709551615 18446744073709551616 -9223372036854775809",
    "123456789012345678901234567890 500m 1k 1Ki 1.0 1.50 -0 -0.0 0x 0b2 1.2.3 1-2 +",
    "y Y yes no n on off true TRUE tRue null Null nULL ~ 2021-08-04 2021-08-04T11:04:35Z 12:30",
    '"1" "y" <<x',
)
SCALARS = [word for line in LINES for word in line.split()]


def kubectls(kubectl: Path, text: str) -> dict[str, object]:
    """The spec as kubectl would send it."""
    ended = subprocess.run(
        [kubectl, "label", "--local", "-f", "-", "-o", "json", "a=b"],
        input=text,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={"KUBECONFIG": "/dev/null", "HOME": "/nonexistent"},
    )
    return dict(json.loads(ended.stdout)["spec"])


def manifest(spec: str) -> str:
    head = "apiVersion: split.smi-spec.io/v1alpha2\nkind: TrafficSplit\nmetadata: {name: a}\n"
    return f"{head}spec:\n{spec}"


def test_plain_scalars_and_keys_mean_what_they_mean_to_kubectl(kubectl: Path) -> None:
    spec = "".join(f"  k{number}: {text}\n" for number, text in enumerate(SCALARS))
    spec += "  5: int\n  0x10: hex\n  1.5: float\n  1e3: thousand\n  yes: truth\n"
    spec += "  base: &base {one: 1, two: 2}\n  merged: {<<: *base, two: 3}\n"
    spec += "  tagged: !!str 5\n  whole: !!float 5\n  strange: !Ref x\n"
    text = manifest(spec)
    ((_, ours),) = goyaml.documents(text)
    # As the document is read afterwards: numbers through JSON, in Go's spelling.
    sent = documents.encode(numbers.normalise(ours["spec"]))
    assert json.loads(sent) == kubectls(kubectl, text)


def test_texts_that_look_like_something_else_are_quoted(kubectl: Path) -> None:
    texts = [yaml.safe_load(f'"{text}"') if text[0] != '"' else text for text in SCALARS]
    wrapped = {"apiVersion": "x/v1", "kind": "X", "metadata": {"name": "a"}}
    spec = {f"k{number}": text for number, text in enumerate(texts)}
    assert kubectls(kubectl, goyaml.dump([{**wrapped, "spec": spec}])) == spec


def test_json_is_yaml_also_when_tabs_indent_it() -> None:
    assert list(goyaml.documents('{\n\t"a": 0.5\n}\n')) == [(1, {"a": 0.5})]


def test_each_document_and_each_item_of_a_list_has_its_line() -> None:
    text = """# a comment
kind: TrafficSplitList
apiVersion: split.smi-spec.io/v1alpha2
items:
- {a: 1}

- kind: Other
---
b: 2
---
kind: List
items: [{c: 3}]
"""
    version = "split.smi-spec.io/v1alpha2"
    assert list(goyaml.documents(text)) == [
        (5, {"apiVersion": version, "kind": "TrafficSplit", "a": 1}),
        (7, {"apiVersion": version, "kind": "Other"}),
        (9, {"b": 2}),
        (12, {"c": 3}),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: {c: 2\nd: 3\n", 3),
        ("a: 1\n---\nb: c: d\n", 3),
        ("a: 1\nb: .inf\n", 2),
        ("a: 1\n? [1, 2]\n: 3\n", 2),
        ("a: *missing\n", 1),
        ("[" * 100_000, 1),
        ("a: \x00", 1),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(goyaml.NotYaml) as refused:
        list(goyaml.documents(text))
    assert refused.value.line == line
    assert str(refused.value)
