"""What answers the paths of the audit API, and how a refusal is raised."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Protocol

import msgspec

from reactor.admin.problem import Problem
from reactor.errors import Fatal, ReactorError, Retryable, Terminal

Query = Mapping[str, str]


class Port(Protocol):
    """An audit log. Each method raises Fatal for a question that can't be answered, Terminal
    (404) for what isn't there, Retryable when the log can't be read now.
    """

    async def get(self, path: str, places: Query, query: Query) -> bytes:
        """The JSON of a path; ``places`` fill the names in braces."""
        ...

    async def verify(self, anchor: str | None) -> bytes:
        """The JSON of a verdict, however long that takes."""
        ...

    def export(self, query: Query, form: str) -> AsyncGenerator[bytes, None]:
        """The text of an export, in parts."""
        ...

    def tail(
        self, query: Query, after: str | None, *, begun: Callable[[], None]
    ) -> AsyncGenerator[bytes, None]:
        """The JSON of each entry behind ``after`` (RUN.SEQ; None: from now on). It ends when the
        other side does. ``begun`` is called when nothing that comes can be missed any more.
        """
        ...


def failure(
    status: int, body: bytes, *, after: float | None = None, hint: str = ""
) -> ReactorError:
    """What a refusal means; ``hint`` is what to do when it is a matter of rights."""
    try:
        said = msgspec.json.decode(body, type=Problem).detail
    except msgspec.MsgspecError:
        said = f"the answer is {status}, and not from an adaptor's admin port"
    if status == 404:
        return Terminal(said, status=404)
    if status == 400:
        return Fatal(said, code=2)
    if status >= 500:
        return Retryable(said, after=after, status=status)
    return Fatal(f"{said} {hint}".rstrip() if status in (401, 403) else said)
