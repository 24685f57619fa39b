"""`linkerd-smi sandbox`: an API server and the adaptor in one process, to try it all out."""

from __future__ import annotations

from pathlib import Path

import click

from reactor.cli.goflags import GoCommand

SAMPLES = Path(__file__).resolve().parent.parent / "manifests" / "samples"


@click.command(cls=GoCommand)
@click.option(
    "--once", is_flag=True, help="Exit when all is in sync: 0; else 1 within 30 s, and why."
)
@click.option(
    "-f",
    "--filename",
    "samples",
    type=click.Path(exists=True, path_type=Path),
    default=SAMPLES,
    show_default="the guide's sample",
    help="What to apply: a YAML file, or a folder of them in the order of their names.",
)
@click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    show_default="a temporary one",
    help="Where the kubeconfig and the audit log go; kept, unlike the default.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="PORT",
    show_default="any free one",
    help="Of the API server.",
)
@click.option(
    "--metrics-addr",
    default="127.0.0.1:0",
    show_default="any free port",
    help="Of the adaptor's admin port; loopback only.",
)
def sandbox(once: bool, samples: Path, directory: Path | None, port: int, metrics_addr: str) -> int:
    """Run a small Kubernetes API server and the adaptor beside it, on loopback only.

    Applies the samples, shows what became of them, and serves until Ctrl-C.
    """
    from reactor.cli.playground import play

    return play(samples, directory, once=once, port=port, metrics_addr=metrics_addr)
