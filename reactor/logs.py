"""Log lines: the Go adaptor's text format (logrus), or JSON for machines."""

from __future__ import annotations

import logging
import re
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, TextIO

import msgspec

reconcile_id: ContextVar[str] = ContextVar("reconcile_id", default="")
"""The reconcile that the current task works on; empty outside one."""

_LEVELS = {
    logging.DEBUG: "debug",
    logging.INFO: "info",
    logging.WARNING: "warning",
    logging.ERROR: "error",
    logging.CRITICAL: "fatal",
}
_BY_NAME = {**{name: level for level, name in _LEVELS.items()}, "warn": logging.WARNING}
_OURS = "reactor"

# What logrus leaves unquoted, and what Go's %q escapes by name.
_BARE = re.compile(r"[a-zA-Z0-9\-._/@^+]*", re.ASCII)
_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    '"': '\\"',
}
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


def configure(log_format: Literal["plain", "json"], level: str, stream: TextIO) -> None:
    """Sends every line of ours from ``level`` on to ``stream``; from libraries, warnings only.

    ``level`` is debug, info, warn, error or fatal; at debug the libraries' debug lines and
    tracebacks come too. Calling it again replaces what it set before.
    """
    number = _BY_NAME[level]
    handler = logging.StreamHandler(stream)
    with_tracebacks = number <= logging.DEBUG
    handler.setFormatter(
        JsonFormatter(with_tracebacks) if log_format == "json" else PlainFormatter(with_tracebacks)
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number if with_tracebacks else max(number, logging.WARNING))
    logging.getLogger(_OURS).setLevel(number)
    # A closed stderr must not become tracebacks of logging's own; nor is there a reader of
    # file names, threads and processes, which cost more than the line itself.
    logging.raiseExceptions = False
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


@contextmanager
def reconciling(identifier: str) -> Iterator[None]:
    """Within it, JSON lines bear ``"reconcile": identifier``."""
    token = reconcile_id.set(identifier)
    try:
        yield
    finally:
        reconcile_id.reset(token)


class _Formatter(logging.Formatter):
    def __init__(self, with_tracebacks: bool) -> None:
        super().__init__()
        self._with_tracebacks = with_tracebacks
        self._second = -1
        self._stamp = ""

    def _time(self, created: float) -> str:
        second = int(created)
        if second != self._second:
            self._second = second
            self._stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))
        return self._stamp

    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """What was given as ``extra``, and the error in one line."""
        fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            fields["error"] = f"{type(error).__name__}: {error}"
            if self._with_tracebacks:
                fields["traceback"] = "".join(traceback.format_exception(error))
        return fields


class PlainFormatter(_Formatter):
    """``time="2021-08-04T11:04:35Z" level=info msg="Starting workers"``, then fields by name.

    Source: logrus' TextFormatter without a terminal.
    """

    def format(self, record: logging.LogRecord) -> str:
        level = _LEVELS.get(record.levelno, "info")
        message = quoted(record.getMessage())
        line = f'time="{self._time(record.created)}" level={level} msg={message}'
        fields = self._fields(record)
        trace = fields.pop("traceback", "")
        for name in sorted(fields):
            line += f" {name}={quoted(str(fields[name]))}"
        return f"{line}\n{trace.rstrip()}" if trace else line


class JsonFormatter(_Formatter):
    """One object a line: time, level, msg, logger, reconcile (inside one), then the fields."""

    _encode = msgspec.json.Encoder(enc_hook=str).encode

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": self._time(record.created),
            "level": _LEVELS.get(record.levelno, "info"),
            "msg": record.getMessage(),
            "logger": record.name,
        }
        if identifier := reconcile_id.get():
            line["reconcile"] = identifier
        for name, value in self._fields(record).items():
            line.setdefault(name, value)
        try:
            return JsonFormatter._encode(line).decode()
        except UnicodeEncodeError:
            return JsonFormatter._encode(_escaped_surrogates(line)).decode()


def quoted(text: str) -> str:
    """``text`` as logrus writes a value: bare when it is plain, else as Go's %q does."""
    if _BARE.fullmatch(text):
        return text
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escaped_surrogates(line: dict[str, Any]) -> dict[str, str]:
    # An undecodable file name, say: no UTF-8, so no JSON either.
    return {
        name: str(value).encode("utf-8", "backslashreplace").decode()
        for name, value in line.items()
    }
