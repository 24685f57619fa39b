"""Weights that Linkerd can honour: whole milli-units whose sum its uint32 arithmetic can hold.

The destination controller reads a weight in milli-units and multiplies it by 10 into a uint32
(linkerd2 controller/api/destination/profile_translator.go); the proxy adds those up in a uint32.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from reactor.model.quantity import NANOS

HIGHEST_SUM = 429_496
"""The largest sum of weights of one split, in whole units: 429,496 x 10,000 fits a uint32."""

_MILLI = NANOS // 1000
_HIGHEST_MILLIS = HIGHEST_SUM * 1000
_FINEST_POWER = 6  # 1n x 10^6 is 1m


class Scaled(msgspec.Struct, frozen=True):
    """Weights in milli-units, or None when those given are fine as they are.

    ``factor`` says what was done, None when the weights were only rounded; ``rounded`` that at
    least one is larger than its share because Linkerd reads nothing finer than 1m.
    """

    millis: tuple[int, ...] | None
    factor: str | None = None
    rounded: bool = False


def scale(nanos: Sequence[int]) -> Scaled:
    """Fit weights of 0 or more, in nano-units, to what Linkerd reads.

    Zeros stay 0, all others become at least 1m; order by size is kept. A power of ten that
    keeps the ratios exact is preferred, else they are as exact as 1m allows.
    """
    total = sum(nanos)
    if total > HIGHEST_SUM * NANOS:
        return _down(nanos, total)
    if all(value % _MILLI == 0 for value in nanos):
        return Scaled(None)
    return _up(nanos, total)


def _up(nanos: Sequence[int], total: int) -> Scaled:
    close: Scaled | None = None
    for power in range(_FINEST_POWER + 1):
        factor = int(10**power)
        if total * factor > HIGHEST_SUM * NANOS:
            break
        millis = tuple(_ceil(value * factor) for value in nanos)
        if sum(millis) > _HIGHEST_MILLIS:
            break
        errors = [have * _MILLI - value * factor for have, value in zip(millis, nanos, strict=True)]
        done = f"multiplied by {factor}" if power else None
        if not any(errors):
            return Scaled(millis, done)
        if close is None and all(
            error * 1000 <= value * factor for error, value in zip(errors, nanos, strict=True)
        ):
            close = Scaled(millis, done, rounded=True)
    if close is not None:
        return close
    millis = tuple(_ceil(value) for value in nanos)
    if sum(millis) > _HIGHEST_MILLIS:
        return _in_proportion(nanos, total)
    return Scaled(millis, rounded=True)


def _down(nanos: Sequence[int], total: int) -> Scaled:
    power, divisor = 0, 1
    while total > HIGHEST_SUM * NANOS * divisor:
        power, divisor = power + 1, divisor * 10
    if all(value % (_MILLI * divisor) == 0 for value in nanos):
        millis = tuple(value // (_MILLI * divisor) for value in nanos)
        return Scaled(millis, f"divided by {divisor if power <= 12 else f'10^{power}'}")
    return _in_proportion(nanos, total)


def _in_proportion(nanos: Sequence[int], total: int) -> Scaled:
    """Divide the highest sum in the ratio of the weights, rounding down, but none to 0.

    From the lightest up: what a weight of less than its 1m takes too much, all heavier ones
    give in proportion.
    """
    millis = [0] * len(nanos)
    budget, rest, rounded = _HIGHEST_MILLIS, total, False
    for index in sorted(range(len(nanos)), key=nanos.__getitem__):
        value = nanos[index]
        if value == 0:
            continue
        if value * budget < rest:
            millis[index] = 1
            budget, rest, rounded = budget - 1, rest - value, True
        else:
            millis[index] = value * budget // rest
    return Scaled(tuple(millis), f"scaled to a sum of at most {HIGHEST_SUM}", rounded)


def _ceil(nanos: int) -> int:
    return -(-nanos // _MILLI)
