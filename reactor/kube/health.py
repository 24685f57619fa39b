"""How a reflector fares, for /ready and for the metrics."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable

log = logging.getLogger(__name__)

_UNWATCHED = 60.0  # seconds without an established watch until we are not ready
_REPEAT = 60.0  # seconds between two log lines about the same trouble


class Health:
    """What one reflector last saw of the API server. Times are the injected clock's seconds."""

    def __init__(self, resource: str, *, clock: Callable[[], float]) -> None:
        self._resource = resource
        self._clock = clock
        self._contact = self._lost = clock()
        self._established = False
        self._said: tuple[str, float] | None = None
        self.synced = False
        self.waiting: str | None = None
        self.restarts: Counter[str] = Counter()
        """Watches that ended, by reason: ended, expired, failed, refused, missing, moved."""

    @property
    def established(self) -> bool:
        """Whether a watch is open."""
        return self._established

    @property
    def staleness(self) -> float:
        """Seconds since the API server last told anything (bookmarks come each minute)."""
        return self._clock() - self._contact

    def unready(self) -> str | None:
        """Why what we know may be old, in plain words; None when all is well."""
        if not self.synced:
            return self.waiting or f"the first list of {self._resource} isn't there yet"
        lost = self._clock() - self._lost
        if self._established or lost < _UNWATCHED:
            return None
        return f"no watch of {self._resource} for {lost:.0f} s: {self.waiting or 'reconnecting'}"

    def contact(self) -> None:
        """Something came."""
        self._contact = self._clock()

    def opened(self) -> None:
        """A watch is established."""
        self._established = True
        self._contact = self._clock()
        if self._said is not None:
            log.info("watching %s again", self._resource)
        self.waiting = self._said = None

    def closed(self) -> None:
        """The watch is over."""
        if self._established:
            self._established = False
            self._lost = self._clock()

    def trouble(self, reason: str, words: str) -> None:
        """A try failed. Logged when it is news, and then once a minute."""
        self.waiting = words
        if reason not in ("ended", "expired"):  # both are the API server's way
            said = self._said
            if said is None or said[0] != reason or self._clock() - said[1] >= _REPEAT:
                self._said = (reason, self._clock())
                log.warning("waiting for %s: %s", self._resource, words)
