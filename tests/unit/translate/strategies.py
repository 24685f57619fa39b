"""Situations drawn at random: splits that real people and hostile ones write, live profiles."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from reactor.model.service import ServiceState
from reactor.model.serviceprofile import Override, ServiceProfile
from reactor.model.trafficsplit import TrafficSplit
from reactor.translate.situation import Asked, Repairs, Rules, Situation
from tests.unit.translate.situations import OURS, profile, situation, split

leaves = st.sampled_from(["web", "failing", "slow", "web.shop", "failing.shop.svc"])
weights = (
    st.integers(0, 1000)
    | st.integers(0, 10**12)
    | st.sampled_from(["1", "500m", "1e3", "100u", "1n", "3Ki", "0", "1e300", "+1", "00500"])
    | st.sampled_from([Decimal("0.5"), Decimal("1E+3"), Decimal("0.000000001")])
)
backends = st.lists(st.tuples(leaves, weights), max_size=5)
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8"), max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["service", "weight", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)
ages = st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"])
lists = st.lists(
    st.builds(
        Override,
        st.sampled_from([f"{leaf}.shop.svc.cluster.local" for leaf in ("web", "failing", "slow")]),
        st.sampled_from(["0", "1", "500", "500m", "1k", "1e3"]),
    ),
    max_size=3,
).map(tuple)


@st.composite
def valid_splits(draw: st.DrawFn, name: str = "canary") -> TrafficSplit:
    """A split that can be read and has backends."""
    found = draw(backends.filter(bool))
    return split(name, *found, created=draw(ages))


@st.composite
def any_splits(draw: st.DrawFn, name: str) -> TrafficSplit:
    """A split as anybody may write it, still counted under service web."""
    if draw(st.booleans()):
        return split(name, *draw(backends), created=draw(ages))
    spec: dict[str, Any] = draw(
        st.fixed_dictionaries({}, optional={"backends": junk, "matches": junk, "service": junk})
    )
    return split(name, created=draw(ages), **{"service": "web", **spec})


@st.composite
def profiles(draw: st.DrawFn) -> ServiceProfile:
    """A live profile of service web: ours, another's, ours with more in it."""
    managers = draw(st.lists(st.sampled_from([OURS, ("kubectl", "Update"), ("argo", "Apply")])))
    return profile(
        draw(lists | st.none() | junk),
        managers=tuple(managers),
        spec=draw(st.sampled_from([{}, {"routes": [{"name": "x"}]}])),
        **draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "labels": st.just({"a": "b"}),
                    "annotations": st.sampled_from([{}, {"smi.linkerd.io/skip": "true"}]),
                },
            )
        ),
    )


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """Any situation that the handlers could put together."""
    names = draw(st.lists(st.sampled_from(["a", "b", "c"]), unique=True, max_size=3))
    uids = st.sampled_from(["uid-a", "uid-b", "uid-gone"])
    states: st.SearchStrategy[ServiceState] = st.sampled_from(["present", "headless", "missing"])
    return situation(
        *[draw(any_splits(name)) for name in names],
        profile=draw(st.none() | profiles()),
        services=draw(st.dictionaries(st.sampled_from(["web", "failing", "slow"]), states)),
        good=draw(st.dictionaries(uids, lists, max_size=2)),
        asked=draw(st.none() | st.builds(Asked, uids, st.just("a"), lists)),
        evidence=draw(st.sampled_from(["none", "listed", "proved"])),
        unreadable=draw(st.booleans()),
        repairs=draw(
            st.builds(Repairs, st.integers(0, 9), st.sampled_from(["", "argo"]), st.floats(0, 300))
        ),
        rules=Rules(orphans=draw(st.sampled_from(["delete", "clear", "keep"]))),
    )
