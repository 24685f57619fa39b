"""The definitions: TrafficSplit in all versions, Linkerd's ServiceProfile."""

from __future__ import annotations

from collections.abc import Collection

from reactor.check.result import Trouble
from reactor.model import serviceprofile, trafficsplit


def splits_served(versions: Collection[str], install: str) -> Trouble | None:
    """Whether every version of TrafficSplit is among those served; one is enough to work."""
    missing = [version for version in trafficsplit.VERSIONS if version not in versions]
    if not missing:
        return None
    kind = f"trafficsplits.{trafficsplit.GROUP}"
    if len(missing) == len(trafficsplit.VERSIONS):
        return Trouble(f"the cluster serves no {kind}", install)
    return Trouble(
        f"the cluster serves {kind} not in {', '.join(sorted(missing))}: an older definition is"
        " in place",
        install,
        warning=True,
    )


def profiles_served(resources: Collection[str]) -> Trouble | None:
    """Whether Linkerd's ServiceProfile is among the resources of its group and version."""
    if serviceprofile.PLURAL in resources:
        return None
    return Trouble(
        f"the cluster serves no {serviceprofile.PLURAL}.{serviceprofile.GROUP}"
        f"/{serviceprofile.VERSION}: Linkerd's definitions are missing",
        "`linkerd install --crds | kubectl apply -f -`",
    )
