"""Values as Helm merges them: the chart's, then files, --set, --set-string, --set-file."""

from __future__ import annotations

import copy
import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from reactor.errors import Fatal
from reactor.install import goyaml, strvals

Tree = dict[str, Any]

_FETCH = 30.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What a user gave: each as on the command line, in its order."""

    files: Sequence[str] = ()
    assignments: Sequence[str] = ()
    texts: Sequence[str] = ()
    contents: Sequence[str] = ()


def given(sources: Sources) -> Tree:
    """The user's values; Fatal, naming the flag and the part at fault."""
    found: Tree = {}
    for name in _split(sources.files):
        found = _laid_over(found, _read_tree(name))
    for flag, expressions, reader in (
        ("--set", sources.assignments, strvals.typed),
        ("--set-string", sources.texts, str),
        ("--set-file", sources.contents, partial(_read_text, "--set-file")),
    ):
        for expression in expressions:
            try:
                strvals.assign(_decoded(expression), found, reader=reader)
            except strvals.Malformed as error:
                raise Fatal(f"{flag} {expression}: {error}", code=2) from error
    return found


def coalesced(over: Tree, defaults: Tree) -> Tree:
    """``over`` completed by a chart's defaults; a null takes the default away."""
    return _completed(over, defaults, outermost=True)


def _completed(over: Tree, defaults: Tree, *, outermost: bool) -> Tree:
    found = dict(over)
    for key, default in defaults.items():
        if key not in found:
            found[key] = copy.deepcopy(default)
        elif found[key] is None:
            # Further in, Helm keeps a null over a null.
            if outermost or default is not None:
                del found[key]
        elif isinstance(found[key], dict) and isinstance(default, dict):
            found[key] = _completed(found[key], default, outermost=False)
    return found


def _laid_over(base: Tree, over: Tree) -> Tree:
    """Maps are merged, anything else replaces what was there, null too."""
    found = dict(base)
    for key, value in over.items():
        present = found.get(key)
        if isinstance(present, dict) and isinstance(value, dict):
            found[key] = _laid_over(present, value)
        else:
            found[key] = value
    return found


def _split(names: Sequence[str]) -> list[str]:
    """`-f a.yaml,b.yaml` is two files, as for Helm."""
    found: list[str] = []
    for name in names:
        try:
            found += next(csv.reader([name], strict=True), [])
        except csv.Error as error:
            raise Fatal(f"--values {name}: {error}", code=2) from error
    return found


def _read_tree(name: str) -> Tree:
    try:
        found = goyaml.load(_read("--values", name))
    except ValueError as error:
        raise Fatal(f"--values {name}: no YAML that can be read: {error}", code=2) from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise Fatal(f"--values {name}: values are a map such as `adaptor: {{...}}`", code=2)
    return found


def _read_text(flag: str, name: str) -> str:
    return _read(flag, name).decode("utf-8", "replace")


def _read(flag: str, name: str) -> bytes:
    """A file's bytes; `-` is stdin, and http(s) is fetched, as for Helm."""
    try:
        if name.strip() == "-":
            return sys.stdin.buffer.read()
        if urlsplit(name).scheme in ("http", "https"):
            # Here: it costs 30 ms, and few keep their values behind a URL.
            import urllib.request

            with urllib.request.urlopen(name, timeout=_FETCH) as answer:
                content: bytes = answer.read()
                return content
        return Path(name).read_bytes()
    except (OSError, ValueError) as error:
        told = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise Fatal(f"{flag} {name}: can't be read: {told}", code=2) from error


def _decoded(argument: str) -> str:
    # Bytes that are no UTF-8 reach us as surrogates, which no output can hold.
    return argument.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
