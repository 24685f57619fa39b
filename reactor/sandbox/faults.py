"""The fault script: what goes wrong, when, and how often it did.

A rule matches requests by verb, resource, namespace, name, user and count; a tap bends the events
of a resource's watches. Every one counts how often it fired, and can be awaited and lifted.
"""

from __future__ import annotations

from typing import TypeVar

from reactor.sandbox.calls import Call
from reactor.sandbox.documents import Document
from reactor.sandbox.registry import Registry
from reactor.sandbox.rules import Drop, Hold, Respond, Rule, Stale
from reactor.sandbox.status import StatusError
from reactor.sandbox.storage import Store
from reactor.sandbox.taps import (
    CutEvent,
    DelayedEvents,
    HeldEvents,
    RepeatedEvents,
    SwappedEvents,
    Tap,
)
from reactor.sandbox.watch import Cut, Hub, Watch, error_line

R = TypeVar("R", bound=Rule)
T = TypeVar("T", bound=Tap)
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


class Faults:
    """All rules and taps now in force."""

    def __init__(self, *, store: Store, registry: Registry, hub: Hub) -> None:
        self._store = store
        self._registry = registry
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

    def drop(self, *, after: bool = False, halfway: bool = False, **match: object) -> Drop:
        """Tear the connection down before the effect, or after it: the answer is lost.

        `halfway`: after the effect, with half of the answer's body sent.
        """
        return self._add(Drop(after=after or halfway, halfway=halfway, **match))

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
            watch.sever()
        return len(watches)

    def end_watches(self, resource: str = "") -> int:
        """Close the open watches in good order; how many there were."""
        watches = self._hub.watches(resource)
        for watch in watches:
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

    def hide(self, resource: str) -> None:
        """Serve a resource no more (404, absent from discovery) and end its watches.

        Its objects stay, and no DELETED event tells of them: what a client sees of an API server
        that starts before its definitions are loaded.
        """
        self._registry.hidden.add(resource)
        self.end_watches(resource)

    def show(self, resource: str) -> None:
        """Serve a hidden resource again."""
        self._registry.hidden.discard(resource)

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
        self._registry.hidden.clear()
        self.bookmarks = True

    def early(self, call: Call) -> Respond | Drop | Hold | None:
        """The rule that applies before the effect."""
        for rule in self._rules:
            before = isinstance(rule, Drop | Hold) and not rule.after
            if (before or isinstance(rule, Respond)) and rule.takes(call):
                assert isinstance(rule, Respond | Drop | Hold)
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
