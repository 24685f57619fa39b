"""Errors, named by what the caller does next.

Every message says what was wrong, where, and what happens now or what to do.
"""

from __future__ import annotations


class ReactorError(Exception):
    """Base of all errors that this program raises on purpose."""


class Retryable(ReactorError):
    """Try again later: a time-out, a dropped connection, 429, 5xx, a locked database.

    ``after`` is the wait the other side asked for in seconds (Retry-After), or None;
    ``status`` the HTTP status, or None when no answer came.
    ``sent`` says that the request may have taken effect although no answer came.
    """

    def __init__(
        self,
        message: str,
        *,
        after: float | None = None,
        status: int | None = None,
        sent: bool = False,
    ) -> None:
        super().__init__(message)
        self.after = after
        self.status = status
        self.sent = sent


class Conflict(ReactorError):
    """The decision was made on a state that is gone: look again and decide again.

    409, AlreadyExists to a create, 404 to a patch or a delete.
    """

    def __init__(self, message: str, *, status: int = 409) -> None:
        super().__init__(message)
        self.status = status


class Expired(ReactorError):
    """The version that a watch or a list wanted is gone (410): list again."""


class Terminal(ReactorError):
    """The same request would fail again: any other 4xx. Record it, try again slowly.

    ``reason`` and ``causes`` are those of the Status object.
    """

    def __init__(
        self, message: str, *, status: int, reason: str = "", causes: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.causes = causes


class Fatal(ReactorError):
    """The process can't do its work until someone mends it: one line, and the end.

    ``code`` is the exit code: 1, or 2 for a wrong flag or setting.
    """

    def __init__(self, message: str, *, code: int = 1) -> None:
        super().__init__(message)
        self.code = code
