"""`python -m tests.cluster DIR`: a real control plane in the foreground, until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from tests.cluster import binaries
from tests.cluster.api import Api
from tests.cluster.control_plane import ControlPlane
from tests.cluster.prepare import prepare


def main(arguments: list[str] | None = None) -> int:
    """Serves until SIGINT or SIGTERM; 0 when it ended as asked, 1 when it could not start."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    parser.add_argument("directory", type=Path, help="where DIR/kubeconfig and all data go")
    parser.add_argument("--fsync", action="store_true", help="let etcd write as in production")
    options = parser.parse_args(arguments)
    ending = {signal.SIGINT, signal.SIGTERM}
    # Default handlers while it starts, so that Ctrl-C works and `with` cleans up.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    plane = ControlPlane(options.directory.resolve(), controller_manager=True, fsync=options.fsync)
    try:
        with plane:
            asyncio.run(_prepare(plane))
            print(f"export KUBECONFIG={plane.admin_kubeconfig}", flush=True)
            print("ready", flush=True)
            signal.pthread_sigmask(signal.SIG_BLOCK, ending)
            while signal.sigtimedwait(ending, 1.0) is None:
                plane.check()
    except KeyboardInterrupt:
        return 0
    except (binaries.Unavailable, RuntimeError) as error:
        print(f"tests.cluster: {error}", file=sys.stderr)
        return 1
    return 0


async def _prepare(plane: ControlPlane) -> None:
    async with Api.connect(plane.admin_kubeconfig) as api:
        await prepare(api)


if __name__ == "__main__":
    sys.exit(main())
