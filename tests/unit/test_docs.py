"""What the pages list is what the code has."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from reactor import __version__
from reactor.audit import schema
from reactor.audit.entry import Kind
from reactor.events import Outcome
from reactor.settings import FLAGS
from tests import docs

PAGES = sorted([*docs.ROOT.glob("*.md"), *docs.ROOT.glob("docs/**/*.md")])


def test_the_settings_page_lists_every_flag_as_the_code_has_it() -> None:
    page = docs.SETTINGS.read_text()
    assert docs.with_flags(page) == page, "run `make docs`"
    for flag in FLAGS.flags:
        assert f"`{FLAGS.variable(flag)}`" in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(docs.ROOT)))
def test_no_page_names_a_variable_that_nobody_reads(page: Path) -> None:
    known = {FLAGS.variable(flag) for flag in FLAGS.flags}
    assert set(re.findall(r"SMI_ADAPTOR_[A-Z_]*[A-Z]", page.read_text())) <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(docs.ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_index_lists_every_page() -> None:
    index = (docs.ROOT / "docs" / "README.md").read_text()
    for page in (docs.ROOT / "docs").glob("*.md"):
        assert page.name == "README.md" or f"({page.name})" in index, page.name


def test_the_changelog_begins_with_this_version() -> None:
    newest = re.search(r"^## (\S+)", (docs.ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert newest[1] == __version__


def test_the_locked_requirements_are_those_of_the_project() -> None:
    """`requirements/runtime.in` and pyproject.toml name the same packages at the same versions."""
    project = tomllib.loads((docs.ROOT / "pyproject.toml").read_text())["project"]
    lines = (docs.ROOT / "requirements" / "runtime.in").read_text().splitlines()
    locked = {line.partition(";")[0].strip() for line in lines if line and line[0] != "#"}
    assert {entry.partition(";")[0].strip() for entry in project["dependencies"]} == locked


def test_the_audit_page_lists_every_kind_and_every_outcome() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \|", (docs.ROOT / "docs" / "audit.md").read_text(), re.MULTILINE
    )
    tables = set(schema.metadata.tables)
    assert set(rows) == tables | set(get_args(Kind)) | set(get_args(Outcome))
