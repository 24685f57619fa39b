"""Values: what we make of --set and of files is what the real helm makes of them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest

from reactor.errors import Fatal
from reactor.install import goyaml
from reactor.install.values import Sources, coalesced, given
from tests.install.conftest import DEFAULTS
from tests.install.helm import Mirror

Tree = dict[str, Any]


def ours(*arguments: str) -> Tree | None:
    """Our reading of helm's arguments; None when we refuse them."""
    taken: dict[str, list[str]] = {"values": [], "set": [], "set-string": [], "set-file": []}
    for argument in arguments:
        name, _, value = argument.removeprefix("--").partition("=")
        taken[name].append(value)
    sources = Sources(
        files=taken["values"],
        assignments=taken["set"],
        texts=taken["set-string"],
        contents=taken["set-file"],
    )
    try:
        return coalesced(given(sources), DEFAULTS)
    except Fatal:
        return None


ASSIGNMENTS = [
    # texts, numbers, words
    "a=b",
    "a=",
    "a=1,b=-1,c=+1,d=0,e=00,f=0.5,g=1e3,h=0x10,i=-0,j=-01,k=1_000",
    "a=9223372036854775807,b=9223372036854775808,c=-9223372036854775808",
    "a=true,b=TRUE,c=False,d=null,e=NULL,f=nil,g=yes,h=falſe",
    "a= 1,b=1 ,c= true",
    "a=b=c",
    # names
    "a.b.c=d",
    " a =b",
    "a\\.b=c",
    "annotations.iam\\.example\\.com/role=x",
    "=b",
    ".a=b",
    "a.=b",
    "a.=",
    "a.=,b=c",
    "a[0].=",
    "text.a=b",
    "map.=b",
    "map.b.=c",
    "a..b=c",
    "a.",
    ".",
    # lists
    "a={b,c}",
    "a={}",
    "a={1,true,null,x y}",
    "a={b,c},d=e",
    "a={b}c=d",
    "a={b}c",
    "a={b",
    "a={{b},c}",
    "a={b\\,c,d\\}}",
    "a={b={c}}",
    # indexes
    "a[0]=b",
    "a[2]=b",
    "a[0].b=c,a[0].d=e,a[1]=f",
    "a[0][1]=b,a[0][0]=c",
    "a[0]={b,c}",
    "a[0]",
    "a[0].",
    "a[0][0]",
    "a[0].b",
    "a[0].b[0]",
    "a[0].=b",
    "a[0]b=c",
    "a[0]b",
    "a[b]=c",
    "a[]=c",
    "a[-1]=c",
    "a[+1]=c",
    "a[01]=c",
    "a[65537]=c",
    "a[99999999999999999999]=c",
    "a[0=c",
    "a[0][=c",
    "[0]=b",
    "list[1].a=c",
    "list[0].a=c",
    "list[3]=c",
    "text[0]=c",
    "empty[0]=c",
    "empty.a=c",
    "map.list[1]=y",
    "a=b,a[0]=c",
    "a[0]=b,a.c=d",
    "a={},a[0].b=c",
    "a={b},a[0][1]=c",
    # escapes
    "a=b\\,c",
    "a=\\\\",
    "a=b\\",
    "a\\",
    "\\",
    "a\\=b=c",
    "a\\[0]=b",
    "a=\\{b",
    # errors and ends
    "",
    ",",
    "a",
    "a,b=c",
    "a=b,",
    "a=b,,c=d",
    "a=b,c",
    # nulls against the chart's defaults
    "text=null",
    "map=null",
    "map.a=null",
    "map.b=null",
    "map.none=null",
    "map.new=null",
    "new=null",
    "empty=null",
    "map.b.e=null",
    "list=null",
    "text.a=null",
    "map=x",
    ".".join("a" * 31) + "=b",
    ".".join("a" * 32) + "=b",
    "a=é€😀,ключ=1",
    "a=b\nc=d",
]


@pytest.mark.parametrize("expression", ASSIGNMENTS)
def test_every_kind_of_assignment_is_read_as_helm_reads_it(mirror: Mirror, expression: str) -> None:
    assert ours(f"--set={expression}") == mirror.shown(f"--set={expression}")


@pytest.mark.parametrize("expression", [*ASSIGNMENTS[:8], "a={1,null},b[1]=true", "text=null"])
def test_set_string_makes_texts_alone(mirror: Mirror, expression: str) -> None:
    assert ours(f"--set-string={expression}") == mirror.shown(f"--set-string={expression}")


def test_integers_stay_integers_beyond_what_a_float_holds() -> None:
    assert given(Sources(assignments=["a=9223372036854775807"])) == {"a": 9223372036854775807}


NAME = st.sampled_from(["a", "b", "map", "text", "list", "a\\.b", ""])
STEP = st.sampled_from(["", "", ".a", ".b", "[0]", "[1]", "[2]", "[0].a", ".list", ".none", "."])
VALUE = st.sampled_from(
    ["x", "1", "-7", "007", "true", "null", "", "{x,1}", "{}", "{null}", "a\\,b", "1.5", "\\{", "é"]
)
SENSIBLE = st.lists(
    st.builds("{}{}{}={}".format, NAME, STEP, STEP, VALUE), min_size=1, max_size=4
).map(",".join)
WILD = st.text(alphabet="ab01=,.[]{}\\-", max_size=12)


@hypothesis.settings(max_examples=40)
@hypothesis.given(assignments=st.lists(SENSIBLE, max_size=4), texts=st.lists(SENSIBLE, max_size=2))
def test_assignments_that_follow_each_other_end_where_helm_ends(
    mirror: Mirror, assignments: list[str], texts: list[str]
) -> None:
    arguments = [f"--set={one}" for one in assignments]
    arguments += [f"--set-string={one}" for one in texts]
    assert ours(*arguments) == mirror.shown(*arguments)


@hypothesis.settings(max_examples=40)
@hypothesis.given(expression=WILD)
def test_any_text_is_taken_or_refused_as_helm_does(mirror: Mirror, expression: str) -> None:
    assert ours(f"--set={expression}") == mirror.shown(f"--set={expression}")


def written(folder: Path, *texts: str) -> list[str]:
    """Files with these texts, by name."""
    paths = [folder / f"{number}.yaml" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    return [str(path) for path in paths]


FILES: list[Sequence[str]] = [
    ("text: two\nmap: {a: 2, b: {c: x}}\n", "map: {b: {c: y, z: 1}}\n"),
    ("map: null\n",),
    ("map: null\n", "map: {a: 2}\n"),
    ("map: {b: null}\nlist: []\n", "map: {b: {n: 1}}\n"),
    ("map: x\n", "map: {a: 1}\n"),
    ("", "# nothing\n", "---\n"),
    ("a: 1\n---\na: 2\n",),
    ("base: &base {a: 1}\nmap: {<<: *base, b: 2}\nlist: [*base, *base]\n",),
    ("1: a\n1.5: b\n",),
    ("true: a\nyes: b\nno: c\n",),
    ("null: a\n",),
    ("[1, 2]\n",),
    ("text\n",),
    ("a: [1\n",),
    ("a: {b\n",),
    ("\ta: b\n",),
    ("a: .inf\n",),
    ("a: 1\na: 2\n",),
    ("a: |\n  one\n  two\nb: >-\n  one\n  two\n",),
    ("a: !!str 1\n",),
    ("a: *gone\n",),
    ('{"a": 1, "b": [true, null]}',),
    ("a: 12345678901234567890\nb: 9007199254740993\n",),
    ("a: &a [*a]\n",),
    ('{"a": "\\ud83d\\ude00"}',),
    ("a: [😀, é, \\n]\n",),
]


@pytest.mark.parametrize("texts", FILES, ids=repr)
def test_files_are_read_and_merged_as_helm_does(
    mirror: Mirror, tmp_path: Path, texts: Sequence[str]
) -> None:
    arguments = [f"--values={name}" for name in written(tmp_path, *texts)]
    assert ours(*arguments) == mirror.shown(*arguments)


SCALARS = """
    y Y yes Yes yEs on oN n no off true True tRue ~ null Null nULL 1 -1 +1 01 08 0o17 0O17 0x1F
    0b11 -0x1f -0b11 1_000 1_ _1 1. .5 -.5 +.5 1.5 1e3 1E-3 1.e3 1:30 190:20:30 2026-01-01
    2026-01-01T00:00:00Z 0x 0b2 0o8 1e999 12e03 0.1.2 v1 = << 1k + . -x 1-2 18446744073709551615
    18446744073709551616 -9223372036854775809 99999999999999999999 '1' "yes" 0_7 .e5 .5_0 1__0
    ._5 .5__0 0.0 -0 -0.0 1e21 123456789012
"""


def test_plain_scalars_are_what_go_takes_them_for(mirror: Mirror, tmp_path: Path) -> None:
    text = "".join(f"k{number}: {scalar}\n" for number, scalar in enumerate(SCALARS.split()))
    (argument,) = (f"--values={name}" for name in written(tmp_path, text))
    found, expected = ours(argument), mirror.shown(argument)
    assert found is not None
    assert expected is not None
    for number, scalar in enumerate(SCALARS.split()):
        key = f"k{number}"
        assert (type(found[key]) is bool) == (type(expected[key]) is bool), scalar
        assert found[key] == expected[key], scalar


def test_texts_numbers_and_files_win_over_each_other_in_helms_order(
    mirror: Mirror, tmp_path: Path
) -> None:
    (tmp_path / "content").write_text("from a file\n", encoding="utf-8")
    names = written(tmp_path, "a: 1\nb: 1\nc: 1\nd: 1\n", "b: 2\nc: 2\nd: 2\n")
    content = f"{tmp_path / 'content'}"
    arguments = [
        f"--set-file=d={content},e={{{content},{content}}},f=",
        "--set-string=c=3,d=3",
        "--set=b=4,c=4,d=4,b=5",
        f"--values={','.join(names)}",
    ]
    assert ours(*arguments) == mirror.shown(*arguments)
    assert ours(*arguments) == {
        **DEFAULTS,
        "a": 1,
        "b": 5,
        "c": "3",
        "d": "from a file\n",
        "e": ["from a file\n"] * 2,
        "f": "",
    }


@pytest.mark.parametrize(
    "argument", ["--values=gone.yaml", "--set-file=a=gone", "--set-file=a={gone}", "--values=."]
)
def test_a_file_that_is_not_there_is_an_error(mirror: Mirror, argument: str) -> None:
    assert mirror.shown(argument) is None
    assert ours(argument) is None


def test_the_error_names_the_flag_and_the_part_at_fault(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match=r"^--set a\.b\[x\]=1: index 'x' is no number$") as told:
        given(Sources(assignments=["a.b[x]=1"]))
    assert told.value.code == 2
    with pytest.raises(Fatal, match=r"^--set-string a: key 'a' has no value$"):
        given(Sources(texts=["a"]))
    (name,) = written(tmp_path, "a: 1\nb: [\n")
    with pytest.raises(Fatal, match=r"0\.yaml: no YAML that can be read: line 3: "):
        given(Sources(files=[name]))
    with pytest.raises(Fatal, match=r"^--values gone: can't be read: No such file or directory$"):
        given(Sources(files=["gone"]))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**31), 2**31)
    | st.floats(-1e6, 1e6, width=32)
    | st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=6)
    | st.sampled_from(SCALARS.split()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "c", "list", "none"]), inner, max_size=3)
    ),
    max_leaves=8,
)
TREES = st.dictionaries(st.sampled_from(["text", "number", "empty", "list", "map", "a"]), JSON)


@hypothesis.settings(max_examples=40)
@hypothesis.given(trees=st.lists(TREES, min_size=1, max_size=2), assignment=SENSIBLE)
def test_trees_from_files_are_merged_as_helm_does(
    mirror: Mirror, trees: list[Tree], assignment: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        names = written(Path(folder), *(json.dumps(tree, ensure_ascii=False) for tree in trees))
        arguments = [*(f"--values={name}" for name in names), f"--set={assignment}"]
        assert ours(*arguments) == mirror.shown(*arguments)


@hypothesis.settings(max_examples=40)
@hypothesis.given(tree=TREES)
def test_what_we_write_is_read_by_go_as_it_was_meant(mirror: Mirror, tree: Tree) -> None:
    text = goyaml.dump([tree])
    with tempfile.TemporaryDirectory() as folder:
        (name,) = written(Path(folder), text)
        assert mirror.shown(f"--values={name}") == coalesced(tree, DEFAULTS)
    assert goyaml.load(text.encode()) == tree
