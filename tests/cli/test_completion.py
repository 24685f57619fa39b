"""Completion in the real shells: what Tab would offer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent


def shell(name: str, script: str, tmp_path: Path) -> str:
    program = shutil.which(name)
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name} is not installed", pytrace=False)
        pytest.skip(f"{name} is not installed")
    ended = subprocess.run(
        [program, *(["-f"] if name == "zsh" else []), "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(tmp_path), "TERM": "dumb"},
        cwd=tmp_path,
    )
    assert ended.stderr == ""
    return ended.stdout


def in_bash(words: list[str], tmp_path: Path, *, before: str = "", after: str = "") -> list[str]:
    """What bash has to offer for the last of these words."""
    quoted = " ".join(f"'{word}'" for word in words)
    script = f"""
{before}
source <(linkerd-smi completion bash)
COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; COMPREPLY=()
compopt() {{ :; }}
{after}
function=$(complete -p {words[0]} | sed -n 's/.* -F \\([^ ]*\\) .*/\\1/p')
$function {words[0]} '{words[-1]}' '{words[-2]}'
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    return shell("bash", script, tmp_path).split()


def in_zsh(words: list[str], tmp_path: Path, *, before: str = "") -> list[str]:
    quoted = " ".join(f"'{word}'" for word in words)
    script = f"""
autoload -U compinit; compinit -D
{before}
source <(linkerd-smi completion zsh)
compadd() {{ print -l -- "${{completions[@]}}" }}
_describe() {{ print -l -- "${{completions_with_descriptions[@]%%:*}}" }}
words=({quoted}); CURRENT={len(words)}
${{_comps[{words[0]}]}}
"""
    return shell("zsh", script, tmp_path).split()


def in_fish(words: list[str], tmp_path: Path, *, before: str = "") -> list[str]:
    script = f"""
{before}
linkerd-smi completion fish | source
complete -C '{" ".join(words)}'
"""
    lines = shell("fish", script, tmp_path).splitlines()
    return [line.partition("\t")[0] for line in lines]


Offered = Callable[..., list[str]]
SHELLS = pytest.mark.parametrize("offered", [in_bash, in_zsh, in_fish])


@SHELLS
@pytest.mark.parametrize("program", [["linkerd-smi"], ["linkerd", "smi"]])
def test_commands_flags_and_choices_are_offered(
    offered: Offered, program: list[str], tmp_path: Path
) -> None:
    commands = offered([*program, ""], tmp_path)
    assert {"completion", "sandbox", "translate", "version"} <= set(commands)
    assert "_extension-metadata" not in commands
    assert offered([*program, "version", "--cl"], tmp_path) == ["--client"]
    assert offered([*program, "-L", "mesh", "version", "--kube"], tmp_path) == ["--kubeconfig"]
    assert sorted(offered([*program, "translate", "--fail-on", ""], tmp_path)) == [
        "error",
        "warning",
    ]


@pytest.mark.parametrize(
    "words", [["translate", "-f"], ["audit", "list", "--db"], ["check", "--kubeconfig"]]
)
def test_files_are_left_to_bash_itself(words: list[str], tmp_path: Path) -> None:
    asked = "compopt() { echo compopt:$2; }"
    assert in_bash(["linkerd-smi", *words, ""], tmp_path, after=asked) == ["compopt:default"]


def test_the_kinds_of_entries_are_offered(tmp_path: Path) -> None:
    words = ["linkerd", "smi", "audit", "tail", "--kind", "s"]
    assert sorted(in_bash(words, tmp_path)) == ["started", "stopped", "synced"]


OWN_BASH = "own() { COMPREPLY=(inject); }; complete -o default -F own linkerd"
OWN_ZSH = "own() { print inject }; compdef own linkerd"
TWICE = "source <(linkerd-smi completion {0})"


@pytest.mark.parametrize(
    ("offered", "before"),
    [
        (in_bash, OWN_BASH),
        (in_bash, f"{OWN_BASH}; {TWICE.format('bash')}"),
        (in_zsh, OWN_ZSH),
        (in_zsh, f"{OWN_ZSH}; {TWICE.format('zsh')}"),
    ],
)
def test_linkerds_own_completion_goes_on_also_when_ours_is_loaded_twice(
    offered: Offered, before: str, tmp_path: Path
) -> None:
    assert offered(["linkerd", "in"], tmp_path, before=before) == ["inject"]
    assert offered(["linkerd", "smi", "transl"], tmp_path, before=before) == ["translate"]


def test_fish_offers_nothing_of_ours_for_linkerds_own_commands(tmp_path: Path) -> None:
    own = "complete --command linkerd --no-files --arguments inject"
    assert in_fish(["linkerd", ""], tmp_path, before=own) == ["inject"]
    assert "inject" in in_fish(["linkerd", "in"], tmp_path, before=own)


def test_a_shell_that_nobody_knows_is_refused() -> None:
    ended = subprocess.run(
        [BIN / "linkerd-smi", "completion", "tcsh"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert "bash" in ended.stderr
