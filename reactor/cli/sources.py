"""The documents that `-f` names, each with the place where it stands."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reactor.cli import goyaml
from reactor.errors import Fatal

_ENDINGS = {".yaml", ".yml", ".json"}
"""What kubectl takes from a folder, not looking into the folders in it."""


@dataclass(frozen=True)
class Source:
    """One object as written, and where: `FILE:LINE`."""

    where: str
    body: dict[str, Any]


def read(names: Sequence[str]) -> Iterator[Source]:
    """The objects of files, of folders (in the order of their names) and of stdin (`-`).

    What is no object with apiVersion and kind is passed over. Fatal when something can't be read.
    """
    for name in names:
        for shown, text in _texts(name):
            try:
                for line, body in goyaml.documents(text):
                    if isinstance(body, dict) and "apiVersion" in body and "kind" in body:
                        yield Source(f"{shown}:{line}", body)
            except goyaml.NotYaml as error:
                raise Fatal(f"{shown}:{error.line}: not YAML: {error}", code=2) from error


def _texts(name: str) -> Iterator[tuple[str, str]]:
    if name == "-":
        yield "<stdin>", _decoded("<stdin>", sys.stdin.buffer.read())
        return
    path = Path(name)
    try:
        if not path.is_dir():
            yield name, _decoded(name, path.read_bytes())
            return
        files = sorted(file for file in path.iterdir() if file.suffix in _ENDINGS)
        if not files:
            raise Fatal(f"-f {name}: there is no .yaml, .yml or .json file in this folder", code=2)
        for file in files:
            yield str(file), _decoded(str(file), file.read_bytes())
    except OSError as error:
        raise Fatal(f"-f {name}: {error.strerror or error}", code=2) from error


def _decoded(shown: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Fatal(f"{shown}:{line}: not UTF-8: save it as UTF-8", code=2) from error
