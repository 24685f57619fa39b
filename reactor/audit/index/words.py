"""What a row says: the reasons of its findings, and its messages as words to search for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import msgspec


class Said(msgspec.Struct, frozen=True):
    """``findings`` are reasons, once each; ``text`` the messages' words, with a space between."""

    findings: tuple[str, ...] = ()
    text: str = ""


NOTHING = Said()


class _Finding(msgspec.Struct, frozen=True):
    reason: str = ""
    message: str = ""


class _Desired(msgspec.Struct, frozen=True):
    findings: tuple[_Finding, ...] = ()


class _Plan(msgspec.Struct, frozen=True):
    reason: str = ""


class _Translated(msgspec.Struct, frozen=True):
    desired: _Desired = _Desired()
    plan: _Plan = _Plan()


class _Observed(msgspec.Struct, frozen=True):
    problem: _Finding | None = None


class _Other(msgspec.Struct, frozen=True):
    """`synced` has a message, `gap` a reason."""

    message: str = ""
    reason: str = ""


_translated = msgspec.json.Decoder(_Translated).decode
_observed = msgspec.json.Decoder(_Observed).decode
_other = msgspec.json.Decoder(_Other).decode


def said(kind: str, detail: str) -> Said:
    """What a row of this kind says; nothing when its detail is of a form that we don't know."""
    findings: tuple[_Finding, ...] = ()
    rest: tuple[str, ...] = ()
    try:
        match kind:
            case "translated":
                found = _translated(detail)
                findings, rest = found.desired.findings, (found.plan.reason,)
            case "observed":
                problem = _observed(detail).problem
                findings = () if problem is None else (problem,)
            case "synced" | "gap":
                other = _other(detail)
                rest = (other.message, other.reason)
            case _:
                return NOTHING
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return NOTHING
    messages = [*(f"{finding.reason} {finding.message}" for finding in findings), *rest]
    text = " ".join(word for message in messages if message for word in words(message))
    reasons = tuple(dict.fromkeys(finding.reason for finding in findings if finding.reason))
    return Said(reasons, text) if reasons or text else NOTHING


_PLAIN = re.compile(r"[0-9a-z]+")
_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """Letters and digits in a row, in lower case and without accents.

    The index holds what comes out of here, so that it and a plain scan find the same.
    """
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in decomposed if not unicodedata.combining(c))
        return _WORD.findall(text.casefold())
    return _PLAIN.findall(text.lower())


_PHRASE = re.compile(r'"([^"]*)"?|(\S+)')


class Wanted(msgspec.Struct, frozen=True):
    """Phrases that all have to occur; each is one word or more in a row."""

    phrases: tuple[tuple[str, ...], ...]

    @classmethod
    def parse(cls, text: str) -> Wanted:
        """Words, and phrases in double quotes. ValueError when there is no word in it."""
        found = [words(quoted or bare) for quoted, bare in _PHRASE.findall(text)]
        phrases = tuple(tuple(phrase) for phrase in found if phrase)
        if not phrases:
            raise ValueError("there is no word to search for")
        return cls(phrases)

    def match(self) -> str:
        """The same for FTS5."""
        return " AND ".join(f'"{" ".join(phrase)}"' for phrase in self.phrases)

    def within(self, text: str) -> bool:
        """Whether words that came out of `said` hold them all."""
        return all(_within(phrase, text) for phrase in self.phrases)


def _within(phrase: Sequence[str], text: str) -> bool:
    return f" {' '.join(phrase)} " in f" {text} "
