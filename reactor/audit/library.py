"""What we use of SQLAlchemy's asyncio extension: the engine, without the ORM.

The extension's `__init__` imports its sessions, and with them the whole ORM, of which nothing is
used here: 7 MiB resident. So the engine is imported while its parent stands there unexecuted.
The parent is executed when something else is asked of it: whoever does gets the whole extension.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import TYPE_CHECKING, Any

_NAME = "sqlalchemy.ext.asyncio"


def _load() -> Any:
    if _NAME in sys.modules:
        return sys.modules[_NAME]
    spec = importlib.util.find_spec(_NAME)
    if spec is None or spec.loader is None:
        raise ImportError("SQLAlchemy is not installed", name=_NAME)
    execute = spec.loader.exec_module
    parent = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = parent
    try:
        engine = importlib.import_module(f"{_NAME}.engine")
    except BaseException:
        del sys.modules[_NAME]
        raise

    def complete(name: str) -> Any:
        if parent.__dict__.pop("__getattr__", None) is not None:
            execute(parent)
        return getattr(parent, name)

    parent.__dict__["__getattr__"] = complete
    return engine


if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
else:
    _engine = _load()
    AsyncConnection = _engine.AsyncConnection
    AsyncEngine = _engine.AsyncEngine
    create_async_engine = _engine.create_async_engine

__all__ = ["AsyncConnection", "AsyncEngine", "create_async_engine"]
