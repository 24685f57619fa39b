"""What the reactor remembers of a service beyond what the stores show.

The journal brings it back after a restart: see `reactor.handlers.recall`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from reactor.events import Key
from reactor.model.serviceprofile import Override
from reactor.translate.situation import Asked, Repairs

CALM = 600.0
"""Seconds without a repair after which a contention is forgotten."""
FREE_REPAIRS = 2
"""Repairs in a row that are made at once; each further one waits, 1 s doubling to 5 min."""
LONGEST_WAIT = 300.0


Good = dict[str, tuple[Override, ...]]


class Attempt(msgspec.Struct, frozen=True):
    """A write that failed: what it wanted, and until when the same wish waits (monotonic)."""

    overrides: tuple[Override, ...] | None
    until: float


class _Contention(msgspec.Struct):
    count: int = 0
    last: float = 0.0


class Memory:
    """State by service. One instance, written by the handlers alone; not thread-safe."""

    def __init__(self) -> None:
        self._asked: dict[Key, Asked] = {}
        # None: what was asked last is all that was good, so that most need no dict of their own.
        self._good: dict[Key, Good | None] = {}
        self._unreadable: Counter[str] = Counter()
        self._applied: dict[Key, tuple[Override, ...]] = {}
        self._fingerprints: dict[Key, str] = {}
        self._attempts: dict[Key, Attempt] = {}
        self._contention: dict[Key, _Contention] = {}
        self._meddlers: dict[Key, str] = {}
        self._uncertain: set[Key] = set()
        self._doubted: set[Key] = set()
        self._confirmed: set[Key] = set()

    def keys(self) -> Iterator[Key]:
        """Services of which a valid split is known to have asked for something."""
        return iter(tuple(self._asked))

    # What was asked, and decided, last.

    def asked(self, key: Key) -> Asked | None:
        """What the last valid decision for this service wanted."""
        return self._asked.get(key)

    def good(self, key: Key) -> Good:
        """The last good overrides of the service's splits, by uid."""
        found = self._good.get(key, {})
        if found is None:
            asked = self._asked[key]
            return {asked.uid: asked.overrides}
        return found

    def remember(self, key: Key, asked: Asked | None, good: Good, fingerprint: str) -> None:
        """A decision was made: what it wants now, what was good so far, its fingerprint."""
        if good:
            alone = asked is not None and good == {asked.uid: asked.overrides}
            self._good[key] = None if alone else good
        else:
            self._good.pop(key, None)
        if asked is None:
            self._asked.pop(key, None)
        else:
            self._asked[key] = asked
        self._fingerprints[key] = fingerprint

    def mark(self, key: Key, fingerprint: str) -> None:
        """The decision took effect: the same one found unchanged needs no row."""
        self._fingerprints[key] = fingerprint

    def fingerprint(self, key: Key) -> str | None:
        """Of the last recorded decision; the same again needs no row."""
        return self._fingerprints.get(key)

    def cleaned_up(self, key: Key) -> None:
        """Nothing of what was asked for is left; what was good of the splits still there is."""
        if key in self._good:
            self._good[key] = self.good(key)
        self._asked.pop(key, None)

    def forget(self, key: Key) -> None:
        """The service has no split and nothing of ours is left: nothing to remember."""
        self._asked.pop(key, None)
        self._good.pop(key, None)
        self._applied.pop(key, None)
        self._attempts.pop(key, None)
        self._contention.pop(key, None)
        self._fingerprints.pop(key, None)
        self._meddlers.pop(key, None)
        self._doubted.discard(key)
        self._confirmed.discard(key)

    # Failed writes.

    def failed(self, key: Key, overrides: tuple[Override, ...] | None, until: float) -> None:
        """A write failed: the same wish waits until then."""
        self._attempts[key] = Attempt(overrides, until)

    def held_back(self, key: Key, overrides: tuple[Override, ...] | None, now: float) -> float:
        """Seconds that this wish still has to wait; a new wish waits for nothing."""
        attempt = self._attempts.get(key)
        if attempt is None or attempt.overrides != overrides:
            return 0.0
        return max(0.0, attempt.until - now)

    def forgive(self, key: Key) -> None:
        """Whatever failed may be tried again now."""
        self._attempts.pop(key, None)

    def succeeded(self, key: Key, overrides: tuple[Override, ...] | None) -> None:
        """The cluster shows what was wanted."""
        self._attempts.pop(key, None)
        if overrides is None:
            self._applied.pop(key, None)
        else:
            self._applied[key] = overrides

    def applied(self, key: Key) -> tuple[Override, ...] | None:
        """What the cluster last showed as wanted."""
        return self._applied.get(key)

    # Answers that were lost.

    def doubt_state(self, key: Key) -> None:
        """The store may be behind what the cluster holds: ask before the next decision."""
        self._uncertain.add(key)

    def state_doubted(self, key: Key) -> bool:
        return key in self._uncertain

    def state_known(self, key: Key) -> None:
        self._uncertain.discard(key)

    # Others who write to our profiles.

    def meddled(self, key: Key, manager: str) -> None:
        """Someone else changed the overrides or the profile; a name outlasts ``unknown``."""
        if manager != "unknown":
            self._meddlers[key] = manager

    def repaired(self, key: Key, now: float) -> Repairs:
        """A repair is being made: count it."""
        contention = self._contention.setdefault(key, _Contention())
        if now - contention.last > CALM:
            contention.count = 0
        contention.count += 1
        contention.last = now
        return self.repairs(key, now)

    def repairs(self, key: Key, now: float) -> Repairs:
        """Repairs in a row so far, against whom, and how long the next one has to wait."""
        contention = self._contention.get(key)
        if contention is None:
            return Repairs()
        if now - contention.last > CALM:
            del self._contention[key]
            return Repairs()
        wait = 0.0
        if contention.count >= FREE_REPAIRS:
            pause = min(LONGEST_WAIT, 2.0 ** min(contention.count - FREE_REPAIRS, 10))
            wait = max(0.0, round(contention.last + pause - now, 3))
        return Repairs(contention.count, self._meddlers.get(key, "unknown"), wait)

    # Orphans: services whose split went.

    def doubt_absence(self, key: Key) -> None:
        """The split is missing from a list, but that list alone proves nothing."""
        self._doubted.add(key)
        self._confirmed.discard(key)

    def confirm_absence(self, key: Key) -> None:
        """The watch saw the split go, or a second list agrees that there is none."""
        self._doubted.discard(key)
        self._confirmed.add(key)

    def absence_confirmed(self, key: Key) -> bool:
        return key in self._confirmed

    def absence_doubted(self, key: Key) -> bool:
        return key in self._doubted

    def present(self, key: Key) -> None:
        """The service has a split: whatever was confirmed of its absence is over."""
        self._confirmed.discard(key)

    # Splits whose service could never be read.

    def unreadable(self, namespace: str, step: int) -> None:
        """One more (1) or one less (-1) of them is in this namespace."""
        self._unreadable[namespace] += step
        if not self._unreadable[namespace]:
            del self._unreadable[namespace]

    def holds_unreadable(self, namespace: str) -> bool:
        return namespace in self._unreadable
