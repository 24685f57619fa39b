"""kubernetes-asyncio is used without its generated models."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
import reactor.kube.connection, reactor.kube.reflector, reactor.kube.lease, reactor.kube.recorder
loaded = [name for name in sys.modules if name.startswith("kubernetes_asyncio")]
assert not loaded, loaded
assert "alembic" not in sys.modules
from reactor.kube.library import Configuration, FileOrData, InClusterConfigLoader
assert InClusterConfigLoader.__module__ == "kubernetes_asyncio.config.incluster_config"
"""


def test_neither_its_models_nor_alembic_are_loaded() -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", SCRIPT], check=True, timeout=60)


def test_the_whole_library_can_still_be_imported_beside() -> None:
    script = (
        "import reactor.kube.library as ours\n"
        "import importlib.util\n"
        "spec = importlib.util.find_spec('kubernetes_asyncio.config')\n"
        "import kubernetes_asyncio.config as theirs\n"
        "assert theirs.load_incluster_config\n"
        "import kubernetes_asyncio\n"
        "assert kubernetes_asyncio.client.CoreV1Api\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
