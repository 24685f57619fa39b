"""Go-style flags, each also an environment variable: the grammar, without any flag's meaning."""

from __future__ import annotations

import difflib
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from reactor.errors import Fatal

_BOOLEANS = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}


class Answer(Exception):
    """An ending, not a failure: the command line asks for this text, not for a run."""


class Flag(msgspec.Struct, frozen=True):
    """One flag.

    ``parse`` raises ValueError in one sentence that says what to write; None marks a boolean.
    ``placeholder`` stands for the value in the usage, ``default`` is told in words. What a
    ``secret`` one was given is in no message.
    """

    name: str
    placeholder: str
    default: str
    text: str
    parse: Callable[[str], Any] | None = None
    secret: bool = False


_CREDENTIALS = re.compile(r"://.*@")


class FlagSet:
    """The flags of a program."""

    def __init__(self, *, program: str, prefix: str, version: str, flags: Sequence[Flag]) -> None:
        self.program = program
        self.flags = tuple(flags)
        self._prefix = prefix
        self._version = version
        self._by_name = {flag.name: flag for flag in flags}

    def variable(self, flag: Flag) -> str:
        """The environment variable that sets ``flag`` when the command line doesn't."""
        return self._prefix + flag.name.replace("-", "_").upper()

    def parse(self, argv: Sequence[str], environ: Mapping[str, str]) -> dict[str, Any]:
        """Values of the flags that were given, by name; the command line wins.

        As in Go: one dash or two, ``-flag value`` or ``-flag=value``, booleans bare or with
        ``=``, the last one wins. An empty variable is an unset one. Raises `Fatal` (code 2) in
        one line, and `Answer` for help and version.
        """
        values: dict[str, Any] = {}
        # Unknown variables are no error: Kubernetes itself puts SMI_ADAPTOR_SERVICE_HOST and
        # the like into every pod beside a Service of that name.
        for flag in self.flags:
            text = environ.get(self.variable(flag), "")
            if text:
                values[flag.name] = self._value(flag, text, self.variable(flag))
        words = list(argv)
        while words:
            values.update(self._one(words.pop(0), words))
        return values

    def _one(self, word: str, rest: list[str]) -> dict[str, Any]:
        if not word.startswith("-") or word in ("-", "--"):
            shown = _CREDENTIALS.sub("://...@", word)
            raise self._refusal(f"unexpected argument {shown!r}: it takes flags only")
        name, equals, text = word.removeprefix("-").removeprefix("-").partition("=")
        if name in ("h", "help"):
            raise Answer(self.usage())
        if name == "version":
            if equals and not self._boolean(text, word):
                return {}
            raise Answer(self._version)
        flag = self._by_name.get(name)
        if flag is None:
            near = difflib.get_close_matches(name, [*self._by_name, "version", "help"], 1)
            raise self._refusal(
                f"unknown flag -{name}" + (f", did you mean -{near[0]}?" if near else "")
            )
        if flag.parse is None:
            return {name: self._boolean(text, word) if equals else True}
        if not equals:
            if not rest:
                raise self._refusal(f"flag -{name} needs a value: -{name}={flag.placeholder}")
            text = rest.pop(0)
        return {name: self._value(flag, text, f"-{name}")}

    def _value(self, flag: Flag, text: str, name: str) -> Any:
        given = f"{name}={'...' if flag.secret else text}"
        if flag.parse is None:
            return self._boolean(text, given)
        try:
            return flag.parse(text)
        except ValueError as error:
            # The cause of a secret one may quote it.
            raise self._refusal(f"{given}: {error}") from (None if flag.secret else error)

    def _boolean(self, text: str, given: str) -> bool:
        if text not in _BOOLEANS:
            raise self._refusal(f"{given}: write true or false")
        return _BOOLEANS[text]

    def _refusal(self, message: str) -> Fatal:
        return Fatal(f"{message} ({self.program} --help lists all flags)", code=2)

    def usage(self) -> str:
        """What --help prints."""
        lines = [
            f"Usage: {self.program} [flags]",
            "",
            "One dash or two; -flag=value or -flag value. A flag wins over its variable.",
            "",
        ]
        for flag in self.flags:
            lines.append(f"  -{flag.name}" + (f" {flag.placeholder}" if flag.parse else ""))
            lines += textwrap.wrap(
                f"{flag.text} Default: {flag.default}. [${self.variable(flag)}]",
                width=92,
                initial_indent="        ",
                subsequent_indent="        ",
                break_on_hyphens=False,
            )
        lines += ["  -version", "        Prints the version.", "  -help, -h"]
        return "\n".join([*lines, "        Prints this text."])
