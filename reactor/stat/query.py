"""PromQL over what Linkerd's proxies count, one query a figure for many splits at once.

Current proxies name the leaf in `authority`, those before 2.12 the apex, so both are asked for:
a call to a leaf that no split sent there counts as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

import msgspec

QUANTILES = (0.5, 0.95, 0.99)
_NAMES = 100  # about as many services as one query names


class Asked(msgspec.Struct, frozen=True):
    """One split, as far as its traffic goes: its own name, and its apex and leaves."""

    namespace: str
    name: str
    services: tuple[str, ...]


def batches(splits: Iterable[Asked]) -> list[list[Asked]]:
    """The splits in groups, each of a size to ask for at once."""
    found: list[list[Asked]] = []
    names = _NAMES
    for split in splits:
        names += len(split.services)
        if not found or names > _NAMES:
            found.append([])
            names = len(split.services)
        found[-1].append(split)
    return found


def requests(splits: Iterable[Asked], window: float) -> str:
    """How many responses came in the last ``window`` seconds, by leaf and classification."""
    return (
        f"sum(increase(response_total{_outbound(splits)}[{_range(window)}]))"
        " by (dst_namespace, dst_service, classification)"
    )


def latency(quantile: float, splits: Iterable[Asked], window: float) -> str:
    """Milliseconds that this share of the responses kept within, by leaf."""
    return (
        f"histogram_quantile({quantile},"
        f" sum(irate(response_latency_ms_bucket{_outbound(splits)}[{_range(window)}]))"
        " by (le, dst_namespace, dst_service))"
    )


def _outbound(splits: Iterable[Asked]) -> str:
    named: dict[str, set[str]] = {}
    for split in splits:
        named.setdefault(split.namespace, set()).update(split.services)
    authorities = "|".join(
        rf"({'|'.join(map(re.escape, sorted(services)))})\.{re.escape(namespace)}\.svc\..+"
        for namespace, services in sorted(named.items())
    )
    # A JSON string is a PromQL string; a matcher has to match the whole label.
    return f'{{direction="outbound", authority=~{json.dumps(authorities)}}}'


def _range(window: float) -> str:
    return f"{round(window * 1000)}ms"
