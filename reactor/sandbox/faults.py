"""The fault script: what goes wrong, when, and how often it did.

A rule matches requests by verb, resource, namespace, name, user and count; a tap bends the events of
a resource's watches. Every one counts how often it fired, and can be awaited and lifted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from reactor.sandbox.documents import Document
from reactor.sandbox.status import StatusError
from reactor.sandbox.storage import Store
from reactor.sandbox.watch import Cut, Hub, Watch, error_line

R = TypeVar("R", bound="Rule")
T = TypeVar("T", bound="Tap")
_REASONS = {
    400: ("BadRequest", "the server rejected our request for an unknown reason"),
    401: ("Unauthorized", "Unauthorized"),
    403: ("Forbidden", "forbidden by the fault script"),
    404: ("NotFound", "the server could not find the requested resource"),
    409: (
        "Conflict",
        "Operation cannot be fulfilled: the object has been modified; please apply "
        "your changes to the latest version and try again",
    ),
    410: ("Expired", "too old resource version"),
    422: ("Invalid", "the server rejected our request due to an error in our request"),
    429: (
        "TooManyRequests",
        "the server has received too many requests and has asked us to try again later",
    ),
    500: ("InternalError", "Internal error occurred: the fault script says so"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: ("Timeout", "Timeout: request did not complete within the allotted timeout"),
}


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


class Counted:
    """Something that fires; `fired` counts, `until(n)` waits."""

    def __init__(self) -> None:
        self.fired = 0
        self._pending: set[asyncio.Future[None]] = set()

    def _fire(self) -> None:
        self.fired += 1
        for future in list(self._pending):
            if not future.done():
                future.set_result(None)

    async def until(self, times: int = 1, *, within: float = 10.0) -> None:
        """Wait until it has fired `times` in all. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while self.fired < times:
                future = asyncio.get_running_loop().create_future()
                self._pending.add(future)
                try:
                    await future
                finally:
                    self._pending.discard(future)


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
        self._fire()
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
    """Tears the connection down, before or after the effect."""

    def __init__(self, *, after: bool, **match: object) -> None:
        super().__init__(**match)  # type: ignore[arg-type]  # Rule's own keywords, passed on
        self.after = after


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


class Tap(Counted):
    """Bends the events of a resource's watches until it is lifted."""

    def __init__(self, resource: str) -> None:
        super().__init__()
        self.resource = resource
        self.lifted = False

    def lift(self) -> None:
        self.lifted = True

    def take(self, watch: Watch, line: bytes) -> list[bytes | Cut]:
        """The items to send now in place of `line`."""
        raise NotImplementedError


class HeldEvents(Tap):
    """Keeps events back until released: the watch lags."""

    def __init__(self, resource: str) -> None:
        super().__init__(resource)
        self._held: list[tuple[Watch, bytes]] = []

    @property
    def held(self) -> int:
        return len(self._held)

    def take(self, watch: Watch, line: bytes) -> list[bytes | Cut]:
        self._held.append((watch, line))
        watch.withheld += 1
        self._fire()
        return []

    def release(self, count: int | None = None) -> None:
        """Send the first `count` held events (all), and go on holding."""
        chosen = self._held[:count] if count is not None else self._held
        self._held = self._held[len(chosen) :]
        for watch, line in chosen:
            watch.withheld -= 1
            watch.push(line)

    def lift(self) -> None:
        """Send what is held, and hold no more."""
        super().lift()
        self.release()

    def discard(self) -> None:
        """Lose what is held, and hold no more."""
        super().lift()
        for watch, _ in self._held:
            watch.withheld -= 1
        self._held = []


class DelayedEvents(Tap):
    """Sends each event some seconds late, in order."""

    def __init__(self, resource: str, seconds: float) -> None:
        super().__init__(resource)
        self._seconds = seconds

    def take(self, watch: Watch, line: bytes) -> list[bytes | Cut]:
        watch.withheld += 1
        self._fire()
        asyncio.get_running_loop().call_later(self._seconds, self._send, watch, line)
        return []

    def _send(self, watch: Watch, line: bytes) -> None:
        watch.withheld -= 1
        watch.push(line)


class RepeatedEvents(Tap):
    """Sends every event twice."""

    def take(self, watch: Watch, line: bytes) -> list[bytes | Cut]:
        self._fire()
        return [line, line]


class SwappedEvents(Tap):
    """Sends each pair of events in reverse order."""

    def __init__(self, resource: str) -> None:
        super().__init__(resource)
        self._first: dict[int, tuple[Watch, bytes]] = {}

    def take(self, watch: Watch, line: bytes) -> list[bytes | Cut]:
        held = self._first.pop(id(watch), None)
        if held is None:
            self._first[id(watch)] = (watch, line)
            watch.withheld += 1
            return []
        watch.withheld -= 1
        self._fire()
        return [line, held[1]]

    def lift(self) -> None:
        super().lift()
        for watch, line in self._first.values():
            watch.withheld -= 1
            watch.push(line)
        self._first = {}


class CutEvent(Tap):
    """Sends half of the next event's line and tears the connection down, once."""

    def take(self, watch: Watch, line: bytes) -> list[bytes | Cut]:
        self._fire()
        self.lift()
        return [Cut(line[: len(line) // 2])]


class Faults:
    """All rules and taps now in force."""

    def __init__(self, *, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub
        self._rules: list[Rule] = []
        self._taps: list[Tap] = []
        # Whether bookmarks are sent at all.
        self.bookmarks = True

    def respond(
        self,
        status: int,
        *,
        reason: str = "",
        message: str = "",
        details: Document | None = None,
        headers: dict[str, str] | None = None,
        **match: object,
    ) -> Respond:
        """Answer matching requests with `status`; nothing takes effect."""
        usual = _REASONS.get(status, ("", f"status {status} by the fault script"))
        error = StatusError(
            status, reason or usual[0], message or usual[1], details=details, headers=headers
        )
        return self._add(Respond(error, **match))

    def drop(self, *, after: bool = False, **match: object) -> Drop:
        """Tear the connection down before the effect, or after it: the answer is lost."""
        return self._add(Drop(after=after, **match))

    def hold(self, *, after: bool = False, **match: object) -> Hold:
        """Hold matching requests before the effect, or between the effect and the answer."""
        return self._add(Hold(after=after, **match))

    def stale(self, resource: str, version: int | None = None, **match: object) -> Stale:
        """Serve lists and gets of `resource` as of `version` (now)."""
        at = self._store.version if version is None else version
        return self._add(Stale(version=at, resource=resource, **match))

    def hold_events(self, resource: str) -> HeldEvents:
        return self._tap(HeldEvents(resource))

    def delay_events(self, resource: str, seconds: float) -> DelayedEvents:
        return self._tap(DelayedEvents(resource, seconds))

    def repeat_events(self, resource: str) -> RepeatedEvents:
        return self._tap(RepeatedEvents(resource))

    def swap_events(self, resource: str) -> SwappedEvents:
        return self._tap(SwappedEvents(resource))

    def cut_event(self, resource: str) -> CutEvent:
        """Half a JSON line, then the end of the connection."""
        return self._tap(CutEvent(resource))

    def silence(self, resource: str = "") -> int:
        """Stop sending on the open watches without closing them; how many there were."""
        watches = self._hub.watches(resource)
        for watch in watches:
            watch.silent = True
        return len(watches)

    def break_watches(self, resource: str = "") -> int:
        """Tear down the connections of the open watches; how many there were."""
        watches = self._hub.watches(resource)
        for watch in watches:
            watch.silent = False
            watch.push(Cut(b""))
        return len(watches)

    def end_watches(self, resource: str = "") -> int:
        """Close the open watches in good order; how many there were."""
        watches = self._hub.watches(resource)
        for watch in watches:
            watch.silent = False
            watch.end()
        return len(watches)

    def expire_watches(self, resource: str = "") -> int:
        """An ERROR event with code 410 in the open watches, which then end; how many."""
        status = StatusError(
            410, "Expired", "The resourceVersion for the provided watch is too old."
        )
        watches = self._hub.watches(resource)
        for watch in watches:
            watch.push(error_line(status.document))
            watch.end()
        return len(watches)

    def compact(self) -> None:
        """Forget history now: older versions are answered with 410."""
        self._store.compact()

    def clear(self) -> None:
        """Lift everything; held requests and events go on."""
        for rule in self._rules:
            rule.lift()
            if isinstance(rule, Hold):
                rule.open()
        for tap in self._taps:
            tap.lift()
        self._rules.clear()
        self._taps.clear()
        self.bookmarks = True

    def early(self, call: Call) -> Respond | Drop | Hold | None:
        """The rule that applies before the effect."""
        for rule in self._rules:
            if isinstance(rule, Respond) or (isinstance(rule, Drop | Hold) and not rule.after):
                if rule.takes(call):
                    return rule
        return None

    def late(self, call: Call) -> Drop | Hold | None:
        """The rule that applies between the effect and the answer."""
        for rule in self._rules:
            if isinstance(rule, Drop | Hold) and rule.after and rule.takes(call):
                return rule
        return None

    def stale_version(self, call: Call) -> int | None:
        for rule in self._rules:
            if isinstance(rule, Stale) and call.verb in ("list", "get") and rule.takes(call):
                return rule.version
        return None

    def pass_through(self, watch: Watch, line: bytes) -> list[bytes | Cut]:
        """The items to send now in place of `line`: the oldest live tap of the resource decides."""
        for tap in self._taps:
            if not tap.lifted and tap.resource == watch.resource.plural:
                return tap.take(watch, line)
        return [line]

    def _add(self, rule: R) -> R:
        self._rules.append(rule)
        return rule

    def _tap(self, tap: T) -> T:
        self._taps.append(tap)
        return tap
