"""What a row says: the reasons of its findings, and its messages as words to search for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from hashlib import blake2b

import msgspec


class Said(msgspec.Struct, frozen=True):
    """``findings`` are reasons, once each; ``text`` the messages' words, with a space between."""

    findings: tuple[str, ...] = ()
    text: str = ""


NOTHING = Said()


class Finding(msgspec.Struct, frozen=True):
    """Of a decision; of a split that can't be honoured, its problem."""

    reason: str = ""
    message: str = ""


class Desired(msgspec.Struct, frozen=True):
    """What a decision wants."""

    findings: tuple[Finding, ...] = ()


class Plan(msgspec.Struct, frozen=True):
    """What a decision does; some say why."""

    reason: str = ""


class Detail(msgspec.Struct, frozen=True):
    """Of a row of any kind, what it says: `translated` has findings and a plan, `observed` a
    problem, `synced` a message, `gap` a reason.
    """

    desired: Desired = Desired()
    plan: Plan | str = ""
    problem: Finding | None = None
    message: str = ""
    reason: str = ""


_decode = msgspec.json.Decoder(Detail).decode


def said(detail: str | bytes | msgspec.Raw) -> Said:
    """What a row with this detail says; nothing when it is of a form that we don't know."""
    try:
        return understood(_decode(detail))
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return NOTHING


def understood(detail: Detail) -> Said:
    """What it says, once decoded."""
    findings = detail.desired.findings
    if detail.problem is not None:
        findings = (*findings, detail.problem)
    why = detail.plan.reason if isinstance(detail.plan, Plan) else ""
    messages = [f"{finding.reason} {finding.message}" for finding in findings]
    messages += [why, detail.message, detail.reason]
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


def token(field: str, term: str) -> str:
    """A term as one word, so that it is searched for together with others."""
    digest = blake2b(term.encode("utf-8", "surrogatepass"), digest_size=8, person=field.encode())
    return digest.hexdigest()


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

    def match(self, terms: Sequence[tuple[str, str]] = ()) -> str:
        """The same for FTS5, of rows that have these terms, too."""
        text = " AND ".join(f'"{" ".join(phrase)}"' for phrase in self.phrases)
        also = "".join(f' AND terms : "{token(*term)}"' for term in terms)
        return f"text : ({text}){also}"

    def within(self, text: str) -> bool:
        """Whether words that came out of `said` hold them all."""
        return all(_within(phrase, text) for phrase in self.phrases)


def _within(phrase: Sequence[str], text: str) -> bool:
    return f" {' '.join(phrase)} " in f" {text} "
