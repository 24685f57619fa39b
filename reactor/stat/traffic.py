"""The traffic of splits, from the Prometheus that is named or else found in the cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from reactor.kube.connection import Connection
from reactor.kube.portforward import forwarded
from reactor.stat import viz
from reactor.stat.figures import Figures, Leaf
from reactor.stat.prometheus import Prometheus
from reactor.stat.query import Asked

Split = tuple[str, str]
"""Namespace and name."""


async def traffic(
    connection: Connection,
    asked: Iterable[Asked],
    *,
    window: float,
    url: str | None,
    environ: Mapping[str, str],
    said: Callable[[str], None],
) -> Mapping[Split, Mapping[Leaf, Figures]]:
    """By split, the leaves that had any in the last ``window`` seconds.

    Without a ``url`` the viz extension's Prometheus is asked, through a port-forward. ``said``
    hears what is asked of whom. Raises a ReactorError, in one sentence, when nobody answers.
    """
    if url is not None:
        async with Prometheus(url=url, environ=environ, said=said) as prometheus:
            return await prometheus.figures(asked, window=window)
    namespace, pod = await viz.pod(connection)
    said(f"port-forward to pod {namespace}/{pod}, port {viz.PORT}")
    async with (
        forwarded(connection, namespace, pod, viz.PORT) as port,
        Prometheus(url=f"http://127.0.0.1:{port}", environ=environ, said=said) as prometheus,
    ):
        return await prometheus.figures(asked, window=window)
