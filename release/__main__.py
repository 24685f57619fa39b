"""`python -m release OUT`: everything that is put up for download, in one folder."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from release import bom, chart, checksums, single, sources, wheel
from release.commands import Failed


def main() -> int:
    """Returns the exit code; ``OUT`` is emptied first."""
    parser = argparse.ArgumentParser(prog="release", description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--helm", default="", help="the program; without it, no chart")
    parser.add_argument(
        "--platform",
        action="append",
        choices=[platform.name for platform in single.PLATFORMS],
        help="only this platform's single file (repeatable); all of them by default",
    )
    given = parser.parse_args()
    try:
        _make(given.out, platforms=given.platform, helm=given.helm)
    except Failed as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    return 0


def _make(out: Path, *, platforms: list[str] | None, helm: str) -> None:
    checksums.check_script()
    epoch, pythons = sources.epoch(), sources.pythons()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    built = wheel.build(out, epoch=epoch)
    for platform in single.PLATFORMS:
        if platforms is None or platform.name in platforms:
            single.write(built, out, platform=platform, pythons=pythons, epoch=epoch)
    bom.write(built, out, platform=single.PLATFORMS[0], python=pythons[-1], epoch=epoch)
    if helm:
        chart.write(out, helm=helm, epoch=epoch)
    else:
        print("release: no helm, so no chart in this release", file=sys.stderr)
    checksums.write(out)
    for path in sorted(out.iterdir()):
        print(f"{path.stat().st_size:>11,}  {path}")


if __name__ == "__main__":
    sys.exit(main())
