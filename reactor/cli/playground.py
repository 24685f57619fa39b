"""An API server and the adaptor in one process: what `linkerd-smi sandbox` runs."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import uvloop
import yaml

from reactor import logs
from reactor.audit.query import Filters, Reader
from reactor.cli import sources
from reactor.cli.say import say
from reactor.cli.table import table
from reactor.daemon import Daemon
from reactor.errors import Fatal
from reactor.events import Synced
from reactor.install.packed import MANIFESTS
from reactor.parts import Parts
from reactor.sandbox import numbers
from reactor.sandbox.server import Sandbox
from reactor.sandbox.status import StatusError
from reactor.settings import Settings
from reactor.translate import decide
from reactor.translate.decision import Keep, Plan, Skip, Unchanged

ADAPTOR = "system:serviceaccount:linkerd-smi:smi-adaptor"
PATIENCE = 30.0
"""Seconds that everything may take to be in sync."""

Manifest = dict[str, Any]


def play(samples: Path, directory: Path | None, *, once: bool, port: int, metrics_addr: str) -> int:
    """Runs both until it is told to stop, or with ``once`` until all is in sync; the exit code."""
    documents = _read(samples)
    with contextlib.ExitStack() as stack:
        if directory is None:
            directory = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="linkerd-smi-sandbox-"))
            )
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Fatal(f"--dir {directory}: can't be made: {error.strerror or error}") from error
        settings = Settings.from_command_line(
            [
                f"-kubeconfig={directory / 'adaptor.kubeconfig'}",
                f"-audit-url={directory / 'audit.sqlite'}",
                f"-metrics-addr={metrics_addr}",
            ],
            {},
        )
        if settings.admin_auth != "none":
            raise Fatal(f"--metrics-addr {metrics_addr}: write a loopback address", code=2)
        logs.configure("plain", "info", sys.stdout)
        return uvloop.run(_run(settings, documents, directory=directory, port=port, once=once))


async def _run(
    settings: Settings, documents: Sequence[Manifest], *, directory: Path, port: int, once: bool
) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    server = Sandbox()
    try:
        await server.start(port=port)
    except OSError as error:
        raise Fatal(f"--port {port}: can't listen there: {error.strerror or error}") from error
    try:
        kubeconfig = server.write_kubeconfig(directory / "kubeconfig")
        server.add_user(ADAPTOR)
        server.write_kubeconfig(directory / "adaptor.kubeconfig", user=ADAPTOR)
        # The adaptor runs here as in a cluster: with our roles and nothing else.
        click.echo(f"A Kubernetes API server listens on {server.url}. The adaptor's log:\n")
        for document in (*_read(MANIFESTS / "rbac"), *documents):
            _apply(server, document)
        daemon = Daemon(settings)
        try:
            await daemon.start()
            late = await _in_sync(daemon, stop)
            await _show(server, daemon, directory)
            if once or late:
                return _end(late)
            _what_next(kubeconfig, daemon.port)
            await stop.wait()
        finally:
            await daemon.stop()
    finally:
        await server.stop()
    return 0


def _apply(server: Sandbox, document: Manifest) -> None:
    """As kubectl would, but for a namespace that is missing: that is made first."""
    metadata = document.get("metadata") or {}
    namespace = metadata.get("namespace")
    if namespace and server.cluster.get("namespaces", namespace) is None:
        _apply(server, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    try:
        server.cluster.apply(document, manager="kubectl-client-side-apply")
    except (StatusError, LookupError) as error:
        name = f"{document['kind']} {metadata.get('name', '')}"
        raise Fatal(f"{name.strip()} is refused: {error}", code=1) from error


def _end(late: Sequence[str]) -> int:
    for reason in late:
        say(f"not in sync: {reason}")
    return 1 if late else 0


async def _in_sync(daemon: Daemon, stop: asyncio.Event) -> list[str]:
    """Wait until every split is in its profile; what is not, each in a sentence.

    Gives up after 30 s, or when what is left waits for its author.
    """
    news = asyncio.Event()

    async def note(_: Synced) -> None:
        news.set()

    daemon.bus.subscribe(Synced, note)
    try:
        async with asyncio.timeout(PATIENCE):
            await daemon.working()
            while not stop.is_set():
                left = _out_of_sync(daemon.parts)
                if all(isinstance(plan, Keep) and plan.after is None for plan in left.values()):
                    return list(left)
                news.clear()
                await news.wait()
    except TimeoutError:
        why = list(daemon.reasons()) or list(_out_of_sync(daemon.parts))
        return [f"{reason} (after {PATIENCE:.0f} s)" for reason in why]
    return []


def _out_of_sync(parts: Parts) -> dict[str, Plan]:
    """What is left to do, by a sentence about it."""
    found: dict[str, Plan] = {}
    for key in sorted(parts.scheduler.everything()):
        decision = decide(parts.situations.of(key, time.monotonic()))
        if not isinstance(decision.plan, Unchanged | Skip):
            name = f"service {key.namespace}/{key.service}"
            why = "; ".join(f"{f.reason}: {f.message}" for f in decision.desired.findings)
            plan = type(decision.plan).__name__.lower()
            found[f"{name} (next: {plan}){': ' if why else ''}{why}"] = decision.plan
    return found


async def _show(server: Sandbox, daemon: Daemon, directory: Path) -> None:
    for profile in server.cluster.list("serviceprofiles"):
        profile["metadata"].pop("managedFields", None)
        click.echo(f"\nThe ServiceProfile that Linkerd reads:\n\n{_yaml(profile)}")
    await daemon.parts.journal.commit()
    page = await Reader(url=str(directory / "audit.sqlite")).entries(Filters(), limit=20)
    click.echo("What the audit log kept of it:\n")
    click.echo(
        table(
            ("SEQ", "KIND", "NAMESPACE", "SPLIT", "SERVICE", "OUTCOME", "ACTOR"),
            [
                (str(r.seq), r.kind, r.namespace, r.split, r.service, r.outcome, r.actor)
                for r in reversed(page.entries)
            ],
        )
    )


def _what_next(kubeconfig: Path, port: int) -> None:
    click.echo(
        f"""
All of it in a browser: http://127.0.0.1:{port}/

What to try next, in another terminal:

  export KUBECONFIG={kubeconfig}
  kubectl -n trafficsplit-sample get trafficsplits,serviceprofiles
  kubectl -n trafficsplit-sample patch ts backend-split --type=merge -p \\
    '{{"spec":{{"backends":[{{"service":"backend-svc","weight":900}},\
{{"service":"failing-svc","weight":100}}]}}}}'
  kubectl -n trafficsplit-sample describe serviceprofile
  curl 'http://127.0.0.1:{port}/api/v1/entries?split=backend-split&limit=5'
  curl http://127.0.0.1:{port}/metrics

Ctrl-C ends it.""",
    )


def _read(path: Path) -> list[Manifest]:
    """What `kubectl apply -f` would send."""
    documents = [numbers.normalise(source.body) for source in sources.read([str(path)])]
    if not documents:
        raise Fatal(
            f"{path}: there is no manifest in it: an object with apiVersion, kind and metadata",
            code=2,
        )
    return documents


def _yaml(document: object) -> str:
    return str(yaml.safe_dump(document, sort_keys=False, default_flow_style=False))
