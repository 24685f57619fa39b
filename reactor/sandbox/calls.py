"""One request, as rules match it and as the access log keeps it."""

from __future__ import annotations

import msgspec


class Call(msgspec.Struct):
    """One request as rules and the access log see it. `status` is 0 until it is answered."""

    verb: str
    group: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    path: str = ""
    query: dict[str, str] = {}
    user: str = ""
    agent: str = ""
    status: int = 0
