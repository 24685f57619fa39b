"""Asks an adaptor's admin port, over plain HTTP, what it says of itself."""

from __future__ import annotations

import asyncio
import http.client

from prometheus_client.parser import text_string_to_metric_families

from reactor.check.adaptor import Report
from reactor.errors import Retryable

_TIMEOUT = 10.0  # seconds


async def report(name: str, address: str) -> Report:
    """What ``address`` (HOST:PORT) says; Retryable when it can't be asked."""
    status, body = await asyncio.to_thread(_get, address, "/ready")
    waits: tuple[str, ...] = ()
    if status != 200:
        waits = tuple(body.splitlines()) if status == 503 else ()
        waits = waits or (f"/ready answers {status}",)
    status, body = await asyncio.to_thread(_get, address, "/metrics")
    return measured(name, waits, body if status == 200 else "")


def measured(name: str, waits: tuple[str, ...], metrics: str) -> Report:
    """A report from the answers to /ready and /metrics; Retryable when that is no metrics page."""
    version, gaps, degraded = None, 0, False
    try:
        for family in text_string_to_metric_families(metrics):
            for sample in family.samples:
                if sample.name == "smi_adaptor_build_info":
                    version = sample.labels.get("version")
                elif sample.name == "smi_adaptor_journal_gap_rows_total":
                    gaps = int(sample.value)
                elif sample.name == "smi_adaptor_journal_degraded":
                    degraded = bool(sample.value)
    except ValueError as error:
        raise Retryable(f"{name}: /metrics answers no metrics: {error}") from error
    return Report(name, waits, version, gaps, degraded)


def _get(address: str, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address, timeout=_TIMEOUT)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise Retryable(f"GET http://{address}{path}: {error or repr(error)}") from error
    finally:
        connection.close()
