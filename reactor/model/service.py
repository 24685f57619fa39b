"""A core/v1 Service: whether it is there, and whether it has a cluster IP."""

from __future__ import annotations

from typing import Literal

import msgspec

from reactor.model.meta import Meta

ServiceState = Literal["present", "headless", "missing"]


class Service(msgspec.Struct, frozen=True):
    """A Service as watched. ``headless`` means clusterIP: None."""

    meta: Meta
    headless: bool
