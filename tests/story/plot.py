"""What happens to the guide's split before somebody is paged."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Final

from tests.guide.shell import Shell
from tests.guide.waiting import until

NAMESPACE: Final = "trafficsplit-sample"
SPLIT: Final = "backend-split"
SECOND: Final = "backend-split-next"
_SERVICES: Final = ("backend-svc", "failing-svc")
_PROFILE: Final = f"backend-svc.{NAMESPACE}.svc.cluster.local"


class Plot:
    """Tells it with kubectl; ``between`` is called before each change but the first."""

    def __init__(self, shell: Shell, *, between: Callable[[], None]) -> None:
        self._shell = shell
        self._between = between

    def tell(self) -> None:
        """A canary, a bad edit, a second split, a hand at the profile, and a split deleted."""
        shell = self._shell
        samples = "config/samples"
        shell.run(f"kubectl apply -f {samples}/1-namespace.yaml -f {samples}/2-application.yaml")
        shell.run(f"kubectl apply -f {samples}/3-trafficsplit.yaml")
        self._profile("500", "500")
        for weights in ((900, 100), (700, 300), (500, 500)):
            self._between()
            self._patch(weights, manager="flagger")
            self._profile(*map(str, weights))
        self._between()
        one_zero_too_many = "sed -i '/service: failing-svc/{n;s/500/5000/}'"
        shell.run(f'KUBE_EDITOR="{one_zero_too_many}" kubectl edit ts {SPLIT} -n {NAMESPACE}')
        self._profile("500", "5k")
        self._between()
        self._patch((1000, 0), manager="flagger")
        self._profile("1k", "0")
        self._between()
        second = _split(SECOND, (0, 1000))
        line = "kubectl apply --server-side --field-manager=argocd-controller -f -"
        shell.run(line, stdin=json.dumps(second))
        self._event(SECOND, "ShadowedBy")
        self._between()
        shell.run(
            f"kubectl -n {NAMESPACE} patch serviceprofile {_PROFILE} --type=json -p "
            '\'[{"op":"replace","path":"/spec/dstOverrides/0/weight","value":"1"}]\''
        )
        self._profile("1k", "0")
        self._between()
        shell.run(f"kubectl delete ts {SPLIT} -n {NAMESPACE}")
        self._profile("0", "1k")

    def _patch(self, weights: Sequence[int], *, manager: str) -> None:
        spec = {"spec": {"backends": _backends(weights)}}
        self._shell.run(
            f"kubectl -n {NAMESPACE} patch ts {SPLIT} --type=merge --field-manager={manager}"
            f" -p '{json.dumps(spec)}'"
        )

    def _profile(self, *wanted: str) -> None:
        """Waits until the proxies read these weights, in the form that quantities have."""
        line = f"kubectl get serviceprofiles -n {NAMESPACE}"

        def applied() -> bool:
            return wanted == tuple(
                override["weight"]
                for profile in self._shell.objects(line)
                for override in profile["spec"]["dstOverrides"]
            )

        until(applied, what=f"overrides {wanted}")

    def _event(self, split: str, reason: str) -> None:
        line = f"kubectl get events -n {NAMESPACE} --field-selector involvedObject.name={split}"
        until(
            lambda: any(event["reason"] == reason for event in self._shell.objects(line)),
            what=f"an Event {reason}",
        )


def _split(name: str, weights: Sequence[int]) -> dict[str, object]:
    return {
        "apiVersion": "split.smi-spec.io/v1alpha2",
        "kind": "TrafficSplit",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"service": "backend-svc", "backends": _backends(weights)},
    }


def _backends(weights: Sequence[int]) -> list[dict[str, object]]:
    return [
        {"service": service, "weight": weight}
        for service, weight in zip(_SERVICES, weights, strict=True)
    ]
