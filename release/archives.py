"""Archives with the same bytes for the same files: sorted, owned by nobody, at one time."""

from __future__ import annotations

import gzip
import io
import tarfile
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path


def zipped(files: Mapping[str, bytes], *, epoch: int, compressed: bool) -> bytes:
    """A zip archive of ``files`` by their names in it."""
    # Zip knows no time before 1980.
    date = time.gmtime(max(epoch, 315532800))[:6]
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
            archive.writestr(entry, files[name])
    return written.getvalue()


def settle(path: Path, *, epoch: int) -> None:
    """Writes the .tar.gz at ``path`` anew without the times and owners of this machine."""
    with tarfile.open(path) as archive:
        members = [(member, _content(archive, member)) for member in archive.getmembers()]
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=epoch) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for member, content in sorted(members, key=lambda pair: pair[0].name):
            entry = tarfile.TarInfo(member.name)
            entry.type, entry.size, entry.mtime = member.type, len(content), epoch
            entry.mode = 0o755 if member.isdir() else 0o644
            archive.addfile(entry, io.BytesIO(content))


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    opened = archive.extractfile(member)
    return b"" if opened is None else opened.read()
