"""The checks by their names, in their order: the Go extension's five, and all."""

from __future__ import annotations

FIVE = [
    "linkerd-smi extension Namespace exists",
    "SMI extension service account exists",
    "SMI extension pods are injected",
    "SMI extension pods are running",
    "SMI extension proxies are healthy",
]
NAMES = [
    *FIVE[:2],
    "TrafficSplit CRD is served in every version",
    "Linkerd's ServiceProfile CRD is served",
    "SMI adaptor may do what it has to",
    *FIVE[2:],
    "SMI adaptor is ready",
    "SMI adaptor and CLI are of the same version",
    "SMI adaptor's audit log has no gaps",
    "SMI adaptor's audit log is kept (on an emptyDir: it goes with the pod)",
    "TrafficSplits are valid",
    "TrafficSplits take effect",
    "ServiceProfiles follow their TrafficSplits",
    "HTTPRoutes are not shadowed",
    "nothing is left of the Go extension",
]
