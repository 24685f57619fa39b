"""Starts what the single file holds: the one module that any Python 3 reads of it.

Compiled modules can't be imported from an archive: the first start unpacks into the cache, and
later ones find it there. Only the standard library, and no syntax younger than Python 3.6, so that
an old one can still be told what is missing.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_RELAUNCHED = "LINKERD_SMI_RELAUNCHED"


def start(version: str, digest: str, platform: str, abis: "tuple[str, ...]") -> None:
    """Runs the command that the file is named for, `smi-adaptor` or else `linkerd-smi`.

    ``digest`` stands for the content; ``platform`` and ``abis`` are what it was built for.
    """
    archive = os.path.dirname(os.path.abspath(__file__))
    here = _platform()
    if here != platform:
        _end(f"this file is for {platform}, and this is {here}: download the one for it")
    abi = f"cp{sys.version_info[0]}{sys.version_info[1]}{getattr(sys, 'abiflags', '')}"
    if sys.implementation.name != "cpython" or abi not in abis:
        _relaunch(archive, abis)
        wanted = " or ".join(_dotted(known) for known in abis)
        have = f"{sys.implementation.name} {_dotted(abi)} ({sys.executable})"
        _end(f"Python {wanted} is needed, and this is {have}: install one, or install the wheel")
    os.environ.pop(_RELAUNCHED, None)
    folder = os.path.join(_cache(), "linkerd-smi", f"{version}-{digest}-{abi}")
    try:
        owner = os.stat(folder).st_uid
    except OSError:
        _unpack(archive, folder, ("common.zip", abi + ".zip"))
        owner = os.geteuid()
    if owner != os.geteuid():
        _end(f"{folder} is somebody else's: name a folder of your own with XDG_CACHE_HOME")
    sys.path[0] = folder
    if os.path.basename(archive).startswith("smi-adaptor"):
        from reactor.cli.adaptor import main as adaptor

        sys.exit(adaptor())
    from reactor.cli.extension import main as extension

    extension()


def _platform() -> str:
    """This machine, named as the release's files are."""
    system = {"darwin": "macos"}.get(sys.platform, sys.platform)
    if getattr(sys.implementation, "_multiarch", "").endswith("musl"):
        system += "-musl"
    return f"{system}-{os.uname().machine}"


def _dotted(abi: str) -> str:
    """cp311 as people write it."""
    return f"{abi[2]}.{abi[3:]}"


def _relaunch(archive: str, abis: "tuple[str, ...]") -> None:
    """Becomes another Python that is on PATH, if one is there and starts. Tried once."""
    if _RELAUNCHED in os.environ:
        return
    import shutil
    import subprocess

    for abi in reversed(abis):
        python = shutil.which("python" + _dotted(abi))
        if python and subprocess.run([python, "-c", ""], stderr=subprocess.DEVNULL).returncode == 0:
            os.environ[_RELAUNCHED] = "1"
            os.execv(python, [python, archive, *sys.argv[1:]])


def _cache() -> str:
    given = os.environ.get("XDG_CACHE_HOME", "")
    return given if os.path.isabs(given) else os.path.expanduser("~/.cache")


def _unpack(archive: str, folder: str, parts: "tuple[str, ...]") -> None:
    """Fills ``folder`` in one step, so that no other start ever sees half of it."""
    # Not above: a start that finds the folder has no use for them.
    import shutil
    import tempfile
    import zipfile

    parent = os.path.dirname(folder)
    scratch = ""
    try:
        os.makedirs(parent, 0o700, exist_ok=True)
        scratch = tempfile.mkdtemp(prefix=".unpacking-", dir=parent)
        with zipfile.ZipFile(archive) as outer:
            for part in parts:
                with outer.open(part) as stream, zipfile.ZipFile(stream) as inner:
                    inner.extractall(scratch)
        try:
            os.rename(scratch, folder)
        except OSError:
            # Another start was first.
            if not os.path.isdir(folder):
                raise
    except zipfile.BadZipFile as error:
        _end(f"{archive} is damaged ({error}): download it again")
    except OSError as error:
        reason = error.strerror or error
        _end(f"cannot unpack into {parent}: {reason}: name another folder with XDG_CACHE_HOME")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _end(message: str) -> "NoReturn":
    sys.stderr.write(f"linkerd-smi: {message}\n")
    sys.exit(1)
