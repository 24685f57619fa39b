"""Flags in Go's spellings, as Linkerd passes them on to an extension."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from reactor.cli.globals import Globals
from reactor.cli.goflags import GoCommand
from reactor.errors import Fatal


@click.command(cls=GoCommand)
@click.option("--proxy", is_flag=True)
@click.option("-o", "--output", default="table")
@click.option("--only", multiple=True)
@click.argument("rest", nargs=-1)
def probe(proxy: bool, output: str, only: tuple[str, ...], rest: tuple[str, ...]) -> None:
    given = Globals.of(click.get_current_context())
    click.echo(repr((proxy, output, only, rest, given.as_groups, given.verbose)))


def seen(*argv: str) -> str:
    result = CliRunner().invoke(probe, argv, catch_exceptions=False)
    return result.output.strip()


def test_a_boolean_may_say_true_or_false() -> None:
    assert seen("--proxy=true") == "(True, 'table', (), (), (), False)"
    assert seen("--proxy=F", "--verbose=false") == "(False, 'table', (), (), (), False)"
    assert seen("--verbose=1") == "(False, 'table', (), (), (), True)"


def test_the_last_word_of_a_boolean_counts() -> None:
    assert seen("--proxy", "--proxy=false").startswith("(False")
    assert seen("--proxy=false", "--proxy").startswith("(True")


def test_a_boolean_that_is_neither_is_refused_with_its_name() -> None:
    result = CliRunner().invoke(probe, ["--proxy=maybe"])
    assert result.exit_code == 2
    assert "--proxy" in result.output
    assert "'maybe' is not true or false" in result.output


def test_a_short_flag_takes_its_value_after_an_equals_sign() -> None:
    assert seen("-o=json") == "(False, 'json', (), (), (), False)"
    assert seen("-ojson") == seen("-o", "json") == seen("--output=json") == seen("-o=json")


def test_an_empty_list_is_no_value() -> None:
    assert seen("--only=[]", "--as-group=[]") == "(False, 'table', (), (), (), False)"


def test_a_list_as_go_prints_it_is_its_items() -> None:
    assert seen("--only=[a,-b]", "--only=c").startswith("(False, 'table', ('a', '-b', 'c')")
    assert seen('--only=["a,b",c]').startswith("(False, 'table', ('a,b', 'c')")
    assert "('x', 'y')" in seen("--as=me", "--as-group=[x,y]")


def test_what_follows_two_dashes_stays_as_it_is() -> None:
    assert seen("--", "--proxy=false", "-o=x").endswith("('--proxy=false', '-o=x'), (), False)")


def test_groups_are_collected_with_a_user_and_refused_without_one() -> None:
    assert "('a', 'b')" in seen("--as=me", "--as-group=a", "--as-group", "b")
    with pytest.raises(Fatal, match="--as-group needs --as"):
        seen("--as-group=a")


@pytest.mark.parametrize("name", ["", "a.b", "a/b", "ns;rm", "ü"])
def test_a_namespace_that_can_not_be_one_is_refused(name: str) -> None:
    with pytest.raises(Fatal, match=r"--linkerd-namespace: .* is no namespace") as caught:
        seen("-L", name)
    assert caught.value.code == 2
