"""What we use of kubernetes-asyncio: the in-cluster loader, Configuration, FileOrData.

`import kubernetes_asyncio` imports every generated model (38 MiB resident, 0.6 s), and so does
the `__init__` of its `client` and, through it, of its `config`. So the submodules are imported
here under bare parent packages that have a `__path__` and run no `__init__`. The parents leave
`sys.modules` again at once: whoever imports the whole library later in the same process gets
the whole library.

What stays ours, tried against 36.1: reading kubeconfigs (its merger prefers the last file's
current-context where kubectl takes the first, and prints whole users, secrets included, in its
errors), refreshing credentials (see `credentials`), OIDC (it turns verification off when no CA
is given), the session (its RESTClientObject costs 730 us of CPU for a PATCH over TLS, most of
it for proxies and netrc looked up in the environment again at each request; a session of ours
costs 215 us, and keeps idle connections for longer than 15 s).
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = "kubernetes_asyncio"
_BARE = (_ROOT, f"{_ROOT}.client", f"{_ROOT}.config")


def _ours() -> Iterator[str]:
    return (name for name in tuple(sys.modules) if name == _ROOT or name.startswith(_ROOT + "."))


def _load() -> tuple[Any, Any, Any]:
    spec = importlib.util.find_spec(_ROOT)
    if spec is None or spec.origin is None:
        raise ImportError("kubernetes-asyncio is not installed", name=_ROOT)
    home = Path(spec.origin).parent
    before = {name: sys.modules.pop(name) for name in _ours()}
    try:
        for name in _BARE:
            bare = types.ModuleType(name)
            bare.__path__ = [str(home.joinpath(*name.split(".")[1:]))]
            sys.modules[name] = bare
        configuration = importlib.import_module(f"{_ROOT}.client.configuration").Configuration
        client: Any = sys.modules[f"{_ROOT}.client"]
        client.Configuration = configuration
        client.ApiClient = object  # named by an import in kube_config, used by none of ours
        incluster = importlib.import_module(f"{_ROOT}.config.incluster_config")
        kubeconfig = importlib.import_module(f"{_ROOT}.config.kube_config")
        return configuration, incluster.InClusterConfigLoader, kubeconfig.FileOrData
    finally:
        for name in tuple(_ours()):
            del sys.modules[name]
        sys.modules.update(before)


Configuration, InClusterConfigLoader, FileOrData = _load()
