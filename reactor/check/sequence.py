"""All checks in their order, each with the name that people see and how long it may take."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator

from reactor.check.patience import Patience
from reactor.check.questions import Questions
from reactor.check.result import Result

PLACE = "linkerd-smi extension Namespace exists"
"""The first check, which also fails when the cluster can't be asked at all."""

_SOON = 10.0  # seconds in which a definition is served, and a profile follows its split


async def results(ask: Questions, patience: Patience) -> AsyncIterator[Result]:
    """The Go extension's five checks by their names, and ours; none when there is no namespace."""
    judge = patience.judge
    yield await judge(PLACE, ask.namespace)
    if not ask.found:
        return
    yield await judge("SMI extension service account exists", ask.account)
    yield await judge("TrafficSplit CRD is served in every version", ask.splits_served, wait=_SOON)
    yield await judge("Linkerd's ServiceProfile CRD is served", ask.profiles_served, wait=_SOON)
    yield await judge("SMI adaptor may do what it has to", ask.rights, optional=True)
    # Only the pods that run in the end can tell whether they are injected.
    running = await judge("SMI extension pods are running", ask.running, wait=math.inf)
    yield await judge("SMI extension pods are injected", ask.injected)
    yield running
    yield await judge("SMI extension proxies are healthy", ask.proxies, wait=math.inf)
    yield await judge("SMI adaptor is ready", ask.ready, wait=math.inf)
    yield await judge("SMI adaptor and CLI are of the same version", ask.same_version)
    if ask.reports:
        yield await judge("SMI adaptor's audit log has no gaps", ask.complete)
    if (kept := ask.kept()) is not None:
        yield kept
    valid = await judge("TrafficSplits are valid", ask.valid, optional=True)
    yield valid
    if ask.surveyed:
        yield await judge("TrafficSplits take effect", ask.effective)
        yield await judge("ServiceProfiles follow their TrafficSplits", ask.in_sync, wait=_SOON)
        yield await judge("HTTPRoutes are not shadowed", ask.routes, optional=True)
    yield await judge("nothing is left of the Go extension", ask.leftovers, optional=True)
