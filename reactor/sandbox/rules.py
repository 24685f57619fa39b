"""Rules of the fault script that apply to requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from reactor.sandbox.calls import Call
from reactor.sandbox.counted import Counted
from reactor.sandbox.status import StatusError


class Rule(Counted):
    """Applies to the requests it matches, after `skip` of them, `times` times (None: always)."""

    def __init__(
        self,
        *,
        verb: str | Sequence[str] = "",
        resource: str = "",
        namespace: str = "",
        name: str = "",
        user: str = "",
        subresource: str | None = None,
        skip: int = 0,
        times: int | None = None,
        when: Callable[[Call], bool] | None = None,
    ) -> None:
        super().__init__()
        self._verbs = (verb,) if isinstance(verb, str) else tuple(verb)
        self._wanted = {"resource": resource, "namespace": namespace, "name": name, "user": user}
        self._subresource = subresource
        self._skip = skip
        self._left = times
        self._when = when
        self._lifted = False

    def lift(self) -> None:
        """Match nothing from now on."""
        self._lifted = True

    def takes(self, call: Call) -> bool:
        """Whether the rule applies to this request; counts it if so."""
        if self._lifted or self._left == 0 or not self._matches(call):
            return False
        if self._skip:
            self._skip -= 1
            return False
        if self._left is not None:
            self._left -= 1
        self.fire()
        return True

    def _matches(self, call: Call) -> bool:
        if self._verbs != ("",) and call.verb not in self._verbs:
            return False
        if self._subresource is not None and call.subresource != self._subresource:
            return False
        if any(value and getattr(call, key) != value for key, value in self._wanted.items()):
            return False
        return self._when is None or self._when(call)


class Respond(Rule):
    """Answers in the server's stead; nothing takes effect."""

    def __init__(self, error: StatusError, **match: object) -> None:
        super().__init__(**match)  # type: ignore[arg-type]  # Rule's own keywords, passed on
        self.error = error


class Drop(Rule):
    """Tears the connection down, before or after the effect, or halfway through the answer."""

    def __init__(self, *, after: bool, halfway: bool, **match: object) -> None:
        super().__init__(**match)  # type: ignore[arg-type]  # Rule's own keywords, passed on
        self.after = after
        self.halfway = halfway


class Hold(Rule):
    """Keeps requests waiting at a gate, before or after the effect, until it opens."""

    def __init__(self, *, after: bool, **match: object) -> None:
        super().__init__(**match)  # type: ignore[arg-type]  # Rule's own keywords, passed on
        self.after = after
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def waiting(self) -> int:
        """How many requests stand at the gate."""
        return len(self._waiting)

    async def pause(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await future
        finally:
            if future in self._waiting:
                self._waiting.remove(future)

    def open(self) -> None:
        """Let all pass, and hold no more."""
        self.lift()
        while self._waiting:
            self.open_one()

    def open_one(self) -> None:
        """Let the first one pass."""
        future = self._waiting.pop(0)
        if not future.done():
            future.set_result(None)


class Stale(Rule):
    """Lists and gets answer as of an earlier version, as a lagging replica does."""

    def __init__(self, *, version: int, **match: object) -> None:
        super().__init__(**match)  # type: ignore[arg-type]  # Rule's own keywords, passed on
        self.version = version
