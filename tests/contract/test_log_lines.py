"""The log that an operator reads: the guide's words, or JSON with the reconcile on each line."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from reactor import logs
from reactor.events import Synced
from tests.contract.cluster import Cluster
from tests.contract.waiting import until


@contextmanager
def written(log_format: Literal["plain", "json"]) -> Iterator[io.StringIO]:
    """What the process would write to stderr."""
    root, ours = logging.getLogger(), logging.getLogger("reactor")
    before = (root.handlers[:], root.level, ours.level, logging.raiseExceptions)
    flags = (logging.logThreads, logging.logProcesses, logging.logMultiprocessing)
    stream = io.StringIO()
    logs.configure(log_format, "info", stream)
    try:
        yield stream
    finally:
        root.handlers[:], root.level, ours.level, logging.raiseExceptions = before
        logging.logThreads, logging.logProcesses, logging.logMultiprocessing = flags


async def life(cluster: Cluster, stream: io.StringIO) -> None:
    """A split that comes, changes and goes."""
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 0)])
    await cluster.wait_overrides("web", [("a", "0")])
    await cluster.set_weights("s", [("a", 2)])
    await cluster.wait_overrides("web", [("a", "2")])
    await cluster.delete_split("s")
    await cluster.wait_no_profile("web")
    await adaptor.event(Synced, lambda event: event.outcome == "deleted")
    await until(lambda: stream.getvalue().count("Successfully synced") >= 3)
    await adaptor.stop()


async def test_the_log_speaks_in_the_guides_words(cluster: Cluster) -> None:
    with written("plain") as stream:
        await life(cluster, stream)

    lines = stream.getvalue().splitlines()
    pattern = re.compile(r'time="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ?[^"]*" level=(\w+) msg="?(.*?)"?')
    told = []
    for line in lines:
        match = pattern.fullmatch(line)
        assert match, line
        told.append((match[1], match[2].replace('\\"', '"')))
    name = cluster.authority("web")
    expected = [
        ("info", "Using cluster domain: cluster.local"),
        ("info", "Starting SMI Controller"),
        ("info", "Waiting for informer caches to sync"),
        ("info", "Starting workers"),
        ("info", "Started workers"),
        ("info", f"created serviceprofile/{name} for trafficsplit/s"),
        ("info", f"Successfully synced '{cluster.namespace}/s'"),
        ("info", f"updated serviceprofile/{name} for trafficsplit/s"),
        ("info", "Shutting down workers"),
    ]
    assert [line for line in told if line in expected][: len(expected)] != []
    positions = [told.index(line) for line in expected]
    assert positions == sorted(positions)
    assert any(level == "warning" and "AllWeightsZero" in text for level, text in told)
    assert any(text.startswith(f"deleted serviceprofile/{name}") for _, text in told)


async def test_the_json_log_names_the_reconcile_on_each_line_of_one(cluster: Cluster) -> None:
    with written("json") as stream:
        await life(cluster, stream)

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    rows = await cluster.adaptors[-1].rows(namespace=cluster.namespace, kind="synced")
    reconciles = {row["outcome"]: row["reconcile"] for row in rows}
    for words, outcome in (
        ("created serviceprofile/", "created"),
        ("AllWeightsZero", "created"),
        ("updated serviceprofile/", "patched"),
        ("deleted serviceprofile/", "deleted"),
    ):
        (line,) = [line for line in lines if words in line["msg"]]
        assert line["reconcile"] == reconciles[outcome]
    assert all("reconcile" in line for line in lines if "synced '" in line["msg"])
