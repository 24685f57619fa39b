"""What Linkerd's proxies export of the requests they send, for a real Prometheus to scrape.

The proxies are pretended; the series are shaped as theirs (names, labels, buckets), and as the
viz extension's Prometheus labels them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

_STEP = 10  # seconds from one sample to the next, as viz scrapes
_PAST = 180  # seconds of history that a flow begins with
_BUCKETS = (1, 2, 3, 4, 5, 10, 20, 30, 40, 50, 100, 200, 300, 400, 500, 1000, 2000, 5000, 50000)


@dataclass(frozen=True)
class Flow:
    """Requests from one proxy to a Service, all alike.

    ``authority`` is what the proxy calls the target, the leaf's own name by default; ``rps`` is
    the rate, ``ms`` the least bucket that each response falls into.
    """

    namespace: str
    service: str
    authority: str = ""
    port: int = 8080
    pod: str = "slow-cooker-0"
    direction: str = "outbound"
    classification: str = "success"
    rps: float = 0.5
    ms: int = 1

    def series(self) -> Iterator[tuple[str, float]]:
        """Each series that the flow is seen in, and by how much it grows a second."""
        host = self.authority or f"{self.service}.{self.namespace}.svc.cluster.local"
        labels = {
            "direction": self.direction,
            "authority": f"{host}:{self.port}",
            "target_addr": f"10.1.0.1:{self.port}",
            "tls": "true",
            "server_id": f"default.{self.namespace}.serviceaccount.identity.linkerd.cluster.local",
            "dst_control_plane_ns": "linkerd",
            "dst_deployment": self.service,
            "dst_namespace": self.namespace,
            "dst_service": self.service,
            "dst_serviceaccount": "default",
            "namespace": self.namespace,
            "deployment": "slow-cooker",
            "pod": self.pod,
        }
        status = "200" if self.classification == "success" else "500"
        counted = labels | {"classification": self.classification, "status_code": status}
        yield _named("response_total", counted), self.rps
        timed = labels | {"status_code": status}
        for bucket in _BUCKETS:
            share = self.rps if bucket >= self.ms else 0.0
            yield _named("response_latency_ms_bucket", timed | {"le": str(bucket)}), share
        yield _named("response_latency_ms_bucket", timed | {"le": "+Inf"}), self.rps
        yield _named("response_latency_ms_count", timed), self.rps


class Proxies:
    """Serves the flows' counters on the loopback, with the history that new ones begin with.

    Samples bear their times, at whole steps, so that what Prometheus computes of them is exact.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[str, int] = {}  # the last step of each series
        self._growth: dict[str, float] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, name="proxies")

    @property
    def port(self) -> int:
        """Where they are scraped."""
        return int(self._server.server_address[1])

    def send(self, flows: Sequence[Flow]) -> None:
        """Has had this traffic for three minutes, and goes on with it."""
        with self._lock:
            for flow in flows:
                for name, growth in flow.series():
                    self._growth[name] = self._growth.get(name, 0.0) + growth

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _page(self) -> str:
        now = int(time.time()) // _STEP
        lines = []
        with self._lock:
            for name, growth in self._growth.items():
                for step in range(self._told.get(name, now - _PAST // _STEP) + 1, now + 1):
                    lines.append(f"{name} {growth * _STEP * step} {step * _STEP * 1000}\n")
                self._told[name] = now
        return "".join(lines)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        page = self._page

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = page().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                # A Prometheus that is stopped amid a scrape has no more use for it.
                with suppress(BrokenPipeError, ConnectionResetError):
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


def _named(metric: str, labels: dict[str, str]) -> str:
    inner = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return f"{metric}{{{inner}}}"
