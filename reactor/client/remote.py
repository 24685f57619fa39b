"""The admin port of an adaptor, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from reactor import __version__
from reactor.client.port import Query, failure
from reactor.errors import Fatal, Retryable

_CONNECT: Final = 10.0
_ANSWER: Final = 60.0
_SILENCE: Final = 45.0
"""Seconds: three times what an adaptor that has nothing to say is silent for."""
_SEARCH: Final = 600.0
"""Seconds until the next row of an export, which may be rare."""
_LINE: Final = 16 << 20
"""Bytes of the longest entry."""

HINT: Final = (
    "Give one by --token or in LINKERD_SMI_TOKEN: `kubectl -n linkerd-smi create token ACCOUNT`, "
    "of a ServiceAccount that is bound to the ClusterRole smi-adaptor-audit-reader"
)


class Remote:
    """Use it as an async context manager. ``url`` ends before the path; ``token`` None: none.

    ``lag`` is told once when the adaptor answers from an archive that lacks rows, or without it.
    """

    def __init__(self, *, url: str, token: str | None, lag: Callable[[str], None]) -> None:
        self._url = url.rstrip("/")
        self._lag: Callable[[str], None] | None = lag
        headers = {"User-Agent": f"linkerd-smi/{__version__}"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._session = aiohttp.ClientSession(
            headers=headers,
            trust_env=False,
            read_bufsize=_LINE,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def get(self, path: str, places: Query, query: Query) -> bytes:
        """As `Port.get`."""
        filled = path.format_map({name: quote(value, safe="") for name, value in places.items()})
        async with self._answer(filled, query, total=_ANSWER) as answer:
            return await answer.read()

    async def verify(self, anchor: str | None) -> bytes:
        """As `Port.verify`; blanks show that it goes on."""
        query = {} if anchor is None else {"anchor": anchor}
        async with self._answer("/api/v1/verify", query) as answer:
            return await answer.read()

    async def export(self, query: Query, form: str) -> AsyncGenerator[bytes, None]:
        """As `Port.export`."""
        asked = {**query, "format": form}
        async with self._answer("/api/v1/export", asked, silence=_SEARCH) as answer:
            async for part in answer.content.iter_any():
                yield part

    async def tail(
        self, query: Query, after: str | None, *, begun: Callable[[], None]
    ) -> AsyncGenerator[bytes, None]:
        """As `Port.tail`, by server-sent events."""
        headers = {} if after is None else {"Last-Event-ID": after}
        async with self._answer("/api/v1/tail", query, headers=headers) as answer:
            begun()  # it answers when it knows where it begins
            async for line in answer.content:
                if line.startswith(b"data: "):
                    yield line[6:].rstrip(b"\n")

    @asynccontextmanager
    async def _answer(
        self,
        path: str,
        query: Query,
        *,
        total: float | None = None,
        silence: float = _SILENCE,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        asked = f"?{urlencode(query)}" if query else ""
        limits = aiohttp.ClientTimeout(total=total, sock_connect=_CONNECT, sock_read=silence)
        try:
            # A redirection would carry the token elsewhere.
            async with self._session.get(
                URL(f"{self._url}{path}{asked}", encoded=True),
                headers=headers,
                timeout=limits,
                allow_redirects=False,
            ) as answer:
                if answer.status != 200:
                    wait = answer.headers.get("Retry-After", "")
                    raise failure(
                        answer.status,
                        await answer.read(),
                        after=float(wait) if wait.isdecimal() else None,
                        hint=HINT,
                    )
                source = answer.headers.get("X-Log-Source", "")
                if ";" in source and self._lag is not None:
                    lag, self._lag = self._lag, None
                    lag(source)
                yield answer
        except aiohttp.ClientSSLError as error:
            raise Fatal(f"{self._url}: its certificate is not to be trusted: {error}") from error
        except ValueError as error:  # also what aiohttp takes for no URL
            raise Fatal(f"--url {self._url}: no URL of an adaptor", code=2) from error
        except aiohttp.ClientConnectorError as error:
            why = error.os_error.strerror or error.os_error
            raise Retryable(f"can't connect to {self._url}: {why}") from error
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            what = str(error) or "no answer came in time"
            raise Retryable(f"GET {self._url}{path}: {what}") from error
