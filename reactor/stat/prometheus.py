"""Instant queries to a Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec

from reactor.errors import ReactorError
from reactor.kube.connection import cause
from reactor.kube.proxy import from_environment
from reactor.stat import query
from reactor.stat.figures import Figures, Leaf, Sample, Split, figures
from reactor.stat.query import Asked

T = TypeVar("T")

_SECONDS = 10  # that Prometheus may take for one query
_GRACE = 5  # and the way there and back
_AT_ONCE = 4  # queries; Prometheus takes 20 of everybody's
_LARGEST = 16 * 2**20  # bytes of an answer


class NoFigures(ReactorError):
    """Prometheus can't be found, reached or understood: there is no traffic to tell, and why."""


class _Data(msgspec.Struct, rename="camel"):
    result_type: str
    result: msgspec.Raw


class _Answer(msgspec.Struct):
    """https://prometheus.io/docs/prometheus/latest/querying/api/#format-overview"""

    status: str
    data: _Data | None = None
    error: str = ""


class Prometheus:
    """One server. Use it as an async context manager."""

    def __init__(
        self,
        *,
        url: str,
        environ: Mapping[str, str],
        said: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._url = url.rstrip("/") + "/api/v1/query"
        self._shown = _without_password(url)
        self._proxy = from_environment(url, environ)
        self._said = said
        self._free = asyncio.Semaphore(_AT_ONCE)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Prometheus:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=_SECONDS + _GRACE), trust_env=False
        )
        return self

    async def __aexit__(self, *ended: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def figures(
        self, splits: Iterable[Asked], *, window: float
    ) -> dict[Split, dict[Leaf, Figures]]:
        """By split, its traffic in the last ``window`` seconds.

        Raises NoFigures in one sentence.
        """
        together = query.batches(splits)
        found = await _all(*(self._batch(batch, window) for batch in together))
        return {
            (split.namespace, split.name): leaves
            for batch, leaves in zip(together, found, strict=True)
            for split in batch
        }

    async def _batch(self, splits: list[Asked], window: float) -> dict[Leaf, Figures]:
        requests, *latencies = await _all(
            self._ask(query.requests(splits, window)),
            *(self._ask(query.latency(part, splits, window)) for part in query.QUANTILES),
        )
        by_quantile = dict(zip(query.QUANTILES, latencies, strict=True))
        return figures(requests, by_quantile, window=window)

    async def _ask(self, promql: str) -> list[Sample]:
        assert self._session is not None, "enter it first"
        async with self._free:
            self._said(f"POST {self._shown}/api/v1/query: {promql}")
            try:
                async with self._session.post(
                    self._url,
                    data={"query": promql, "timeout": f"{_SECONDS}s"},
                    proxy=self._proxy,
                ) as answer:
                    return _samples(answer.status, await _read(answer))
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise NoFigures(f"Prometheus at {self._shown}: {_why(error)}") from error


async def _all(*work: Coroutine[object, object, T]) -> list[T]:
    """What each returns; when one fails the others end with it."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > _LARGEST:
            raise ValueError(f"answered more than {_LARGEST // 2**20} MiB")
    return bytes(body)


def _samples(status: int, body: bytes) -> list[Sample]:
    """ValueError in one sentence when it is no vector."""
    try:
        answer = msgspec.json.decode(body, type=_Answer)
        if answer.data is not None and answer.data.result_type == "vector":
            return msgspec.json.decode(answer.data.result, type=list[Sample])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"{status}, and no Prometheus answers so: is the URL right?") from error
    raise ValueError(answer.error or f"answered {status} without a vector")


def _why(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"can't connect: {cause(error.os_error)}"
    if isinstance(error, TimeoutError):
        return f"no answer within {_SECONDS + _GRACE} s"
    return " ".join(str(error).split()) or type(error).__name__


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")
