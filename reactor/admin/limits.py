"""How much one client may ask of the admin port."""

from __future__ import annotations

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """Bytes and seconds. The admin port shares its process with the controller, so all are low.

    ``head``: request line and headers together. ``url``: path and query. ``body``: no route takes
    one but the sign-in, whose ``form`` may be so long; a longer one is refused unread.
    ``head_seconds``: until a whole head has come.
    ``review_seconds``: until the API server has checked a token. ``answer_seconds``: until a
    client has taken its whole answer. ``idle_seconds``: between two requests on one connection.
    ``connections``: open at a time; one more is closed at once.
    """

    head: int = 32 * 1024
    url: int = 4 * 1024
    body: int = 64 * 1024
    form: int = 16 * 1024
    head_seconds: float = 10.0
    review_seconds: float = 5.0
    answer_seconds: float = 60.0
    idle_seconds: int = 5
    connections: int = 256
