"""Templates to HTML, in a thread: the event loop is the controller's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reactor.admin.pages import paths
from reactor.admin.pages.assets import href
from reactor.admin.pages.gist import gist
from reactor.admin.pages.moments import ago, moment, stamp
from reactor.admin.pages.source import Source, told

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent / "templates"


class Renderer:
    """Renders one page at a time; ``secured`` offers a sign-out, ``source`` says which log it is
    that answers, where there are two.
    """

    def __init__(self, *, secured: bool, source: Source | None = None) -> None:
        self._secured = secured
        self._source = source
        self._turn = asyncio.Lock()
        self._environment: Environment | None = None

    async def page(self, template: str, values: Mapping[str, Any], *, part: str = "") -> bytes:
        """The page as UTF-8; every value in it shows as text. ``part``: as for `told`."""
        source = None if self._source is None else told(self._source(), part=part)
        async with self._turn:
            return await asyncio.to_thread(self._rendered, template, {**values, "source": source})

    def _rendered(self, template: str, values: Mapping[str, Any]) -> bytes:
        if self._environment is None:
            self._environment = _environment(secured=self._secured)
        return self._environment.get_template(template).render(values).encode()


def _environment(*, secured: bool) -> Environment:
    # 40 ms and 6 MiB that nobody pays who never opens a page.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(
        secured=secured,
        href=href,
        split_path=paths.split,
        entry_path=paths.entry,
        log_path=paths.log,
        sign_in_path=paths.SIGN_IN,
    )
    environment.filters.update(moment=moment, stamp=stamp, ago=ago, gist=gist)
    return environment
