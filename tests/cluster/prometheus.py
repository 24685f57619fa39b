"""A real Prometheus on the loopback, from the Debian package of that name."""

from __future__ import annotations

import asyncio
import json
import shutil
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.cluster.binaries import Unavailable
from tests.cluster.ports import free_port
from tests.cluster.process import Child, Keeper
from tests.cluster.proxies import Flow, Proxies

_READY_SECONDS = 30.0
_SCRAPED_SECONDS = 15.0


def program() -> Path:
    """Raises Unavailable."""
    found = shutil.which("prometheus")
    if found is None:
        raise Unavailable("no prometheus on PATH: install it (Debian: apt-get install prometheus)")
    return Path(found)


class Prometheus:
    """Scrapes pretended proxies five times a second; synchronous like ControlPlane."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.port = free_port()
        self._proxies = Proxies()
        self._keeper: Keeper | None = None
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """What --prometheus-url takes."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when it answers. Raises Unavailable."""
        found = program()
        self._directory.mkdir(parents=True, exist_ok=True)
        self._proxies.__enter__()
        job = {
            "job_name": "linkerd-proxy",
            "scrape_interval": "200ms",
            "scrape_timeout": "200ms",
            "static_configs": [{"targets": [f"127.0.0.1:{self._proxies.port}"]}],
            # As the viz extension's configuration does: labels are those of the pods.
            "honor_labels": True,
        }
        config = self._directory / "prometheus.json"  # JSON is YAML
        config.write_text(json.dumps({"scrape_configs": [job]}), encoding="utf-8")
        self._keeper = Keeper()
        try:
            self._child = Child(
                name="prometheus",
                command=[
                    str(found),
                    f"--config.file={config}",
                    f"--storage.tsdb.path={self._directory / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                    "--log.level=warn",
                ],
                log=self._directory / "prometheus.log",
                keeper=self._keeper,
            )
            self._child.await_ready(self._ready, timeout=_READY_SECONDS)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends it."""
        if self._child is not None:
            self._child.stop(kill=True)
            self._child = None
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None
        self._proxies.__exit__(None, None, None)

    async def scrape(self, *flows: Flow) -> None:
        """Returns when this traffic of the last minutes, which goes on, can be asked for."""
        self._proxies.send(flows)
        async with asyncio.timeout(_SCRAPED_SECONDS):
            for flow in flows:
                *_, (last, _) = flow.series()
                # Another process is waited for, so there is no event to wait for.
                while not await asyncio.to_thread(self.ask, last):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)

    def ask(self, query: str) -> list[Any]:
        """The answer to an instant query."""
        asked = urllib.parse.urlencode({"query": query})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{asked}", timeout=5.0) as answer:
            found: list[Any] = json.load(answer)["data"]["result"]
        return found

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5.0) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False
