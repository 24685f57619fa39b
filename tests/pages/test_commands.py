"""Whatever the pages tell a reader to type exists: commands, flags, make targets, files."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from reactor import __version__
from reactor.cli.translate import translate
from tests import docs
from tests.chart import readme
from tests.cli import reference

CHART = docs.ROOT / "config" / "chart" / "linkerd-smi"
PAGES = sorted(
    [
        *docs.ROOT.glob("*.md"),
        *docs.ROOT.glob("docs/**/*.md"),
        CHART / "README.md",
        CHART / "templates" / "NOTES.txt",
    ]
)
_FENCED = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_SEPARATOR = re.compile(r"\s*(?:\|\|?|&&|;|\$\(|<\(|\))\s*")
_SHOWN = {"[flags]", "..."}


def commands_in(page: Path) -> Iterator[list[str]]:
    """The words of each simple command that a page shows, in fences and in spans."""
    text = page.read_text()
    lines = [line for block in _FENCED.findall(text) for line in _joined(block)]
    if page.suffix == ".txt":
        lines = [line for line in text.splitlines() if line.startswith("  ")]
    lines += _SPAN.findall(_FENCED.sub("", text))
    for line in lines:
        for piece in _SEPARATOR.split(line.strip().removeprefix("$ ")):
            try:
                words = shlex.split(piece, comments=True)
            except ValueError:  # a sentence with an apostrophe: no command
                continue
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                words.pop(0)
            if words:
                yield words


def _joined(block: str) -> list[str]:
    return block.replace("\\\n", " ").splitlines()


def ours(words: list[str]) -> list[str] | None:
    """What follows `linkerd-smi` or `linkerd smi`; None when it is another program."""
    if words[0].rpartition("/")[2] == "linkerd-smi":
        return words[1:]
    return words[2:] if words[:2] == ["linkerd", "smi"] else None


def test_the_pages_commands_are_found() -> None:
    # Those below look at what is found, and would be content with nothing.
    found = [words for page in PAGES for words in commands_in(page)]
    assert {"docker", "helm", "kubectl", "make"} <= {words[0] for words in found}
    assert sum(bool(ours(words)) for words in found) > 50
    assert any("--set" in words for words in found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(docs.ROOT)))
def test_every_command_of_ours_on_a_page_exists_with_its_flags(page: Path) -> None:
    known = reference.commands()
    for words in commands_in(page):
        rest = ours(words)
        if not rest or rest[0] in {"_extension-metadata", "...", "X"}:
            continue
        pair = " ".join(rest[:2])
        name = pair if pair in known else rest[0]
        assert name in known, " ".join(words)
        flags = {word.partition("=")[0] for word in rest[1:] if re.match(r"--?[a-zA-Z]", word)}
        assert flags <= reference.flags(known[name]), " ".join(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(docs.ROOT)))
def test_every_make_target_on_a_page_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):.*## ", (docs.ROOT / "Makefile").read_text(), re.M))
    for words in commands_in(page):
        if words[0] == "make":
            named = {word for word in words[1:] if "=" not in word and not word.startswith("-")}
            assert named <= targets, " ".join(words)


_CHECKED_IN = re.compile(r"(?:config|docs|tests|reactor|release)/[\w./-]*\w/?")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(docs.ROOT)))
def test_every_file_of_ours_in_a_command_exists(page: Path) -> None:
    for words in commands_in(page):
        for word in words:
            if _CHECKED_IN.fullmatch(word):
                assert (docs.ROOT / word).exists(), " ".join(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(docs.ROOT)))
def test_every_value_that_a_command_sets_is_one_of_the_charts(page: Path) -> None:
    known = {".".join(path) for path, _ in readme.described((CHART / "values.yaml").read_text())}
    for words in commands_in(page):
        for flag, word in pairwise(words):
            if flag == "--set" and "NAME" not in word:
                for assignment in word.split(","):
                    name = re.split(r"[=\[]", assignment)[0]
                    assert name in known, " ".join(words)


def test_the_guide_shows_the_sample_split_and_what_it_becomes() -> None:
    text = (docs.ROOT / "docs" / "guide.md").read_text()
    shown = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    sample = docs.ROOT / "config" / "samples" / "3-trafficsplit.yaml"
    assert yaml.safe_load(shown[0]) == yaml.safe_load(sample.read_text())
    translated = CliRunner().invoke(translate, ["-f", str(sample)])
    assert translated.stdout == f"---\n{shown[1]}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(docs.ROOT)))
def test_an_image_in_a_command_bears_this_version(page: Path) -> None:
    for words in commands_in(page):
        if words[0] == "docker":
            assert f"REGISTRY/smi-adaptor:{__version__}" in words, " ".join(words)
