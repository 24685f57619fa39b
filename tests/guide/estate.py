"""A namespace as the Go adaptor left it, and what must be true of it under ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from reactor.events import Synced
from tests.cluster.api import SERVICEPROFILES, TRAFFICSPLITS, Api, ApiError, Object
from tests.cluster.prepare import ensure_namespace
from tests.contract.adaptor import Adaptor
from tests.guide.place import Place
from tests.guide.pod import AdaptorPod
from tests.legacy import written

NAMESPACE = "shop"
ROUTES = [{"name": "GET /orders", "condition": {"method": "GET", "pathRegex": "/orders"}}]
# Weights as they were applied, and as the Go adaptor wrote them.
_SPLITS = (
    ("web", "v1alpha2", [("web", 900), ("web-new", 100)], ["900", "100"]),
    ("cart", "v1alpha1", [("cart", "500m"), ("cart-new", "1e3")], ["500m", "1e3"]),
    ("pay", "v1alpha2", [("pay", 1000), ("pay-new", 0.5)], ["1k", "500m"]),
)


async def leave_behind(api: Api) -> None:
    """Splits of both old versions, and their profiles, one of them with a user's routes in it.

    One split was deleted while no adaptor ran, and one has a weight that the old definition let
    in and that the Go adaptor could not read.
    """
    await ensure_namespace(api, NAMESPACE)
    pay = written.profile("pay", NAMESPACE, [])
    pay["spec"] = {"routes": ROUTES}
    await api.create(SERVICEPROFILES, pay, field_manager="kubectl-client-side-apply")
    for name, version, backends, weights in _SPLITS:
        split = written.split(name, NAMESPACE, name, backends, version=version)
        await api.create(TRAFFICSPLITS.at(version), split)
        names = [backend for backend, _ in backends]
        await written.write(api, name, NAMESPACE, list(zip(names, weights, strict=True)))
    await written.write(api, "gone", NAMESPACE, [("gone", "1"), ("gone-new", "1")])
    odd = written.split("odd", NAMESPACE, "odd", [("odd", "lots")], version="v1alpha1")
    await api.create(TRAFFICSPLITS, odd)


async def contents(api: Api) -> list[Object]:
    """All its splits and profiles, their versions included: what is equal was never written."""
    async with asyncio.timeout(45.0):
        while True:
            try:
                splits = await api.items(TRAFFICSPLITS, NAMESPACE)
            except ApiError as error:
                # So it is answered while a changed definition comes into force.
                if error.status != 429:
                    raise
                await asyncio.sleep(0.02)
            else:
                return [*splits, *await api.items(SERVICEPROFILES, NAMESPACE)]


async def is_adopted_by_ours(place: Place, api: Api) -> None:
    """Our adaptor, as its pod would run it, takes it all over with no write that isn't needed."""
    before = await contents(api)
    async with _adaptor(place) as ours:
        for name, *_ in _SPLITS:
            synced = await ours.event(Synced, partial(_is_about, service=name))
            assert synced.outcome == "unchanged", name
        await ours.finding("InvalidWeight", "odd")
        assert _writes(ours) == []
        assert await contents(api) == before

        # A deletion that nobody saw is noticed now, and believed at the second look only.
        code, checked = await _check(place)
        assert code == 1
        assert "serviceprofile/gone.shop.svc.cluster.local is left over" in checked
        assert "shop/odd: InvalidWeight" in checked
        await ours.patience.pass_by()
        await _profile(api, "gone", lambda found: found is None)

        # What is decided from now on is written, over what the Go adaptor had written.
        changed = {"spec": written.split("web", NAMESPACE, "web", [("web-new", 1)])["spec"]}
        await api.patch(TRAFFICSPLITS.at("v1alpha4"), "web", changed, NAMESPACE)
        profile = await _profile(api, "web", lambda found: len(_overrides(found)) == 1)
        (entry,) = profile["metadata"]["managedFields"]
        assert (entry["manager"], entry["operation"]) == ("smi-adaptor", "Update")

        # And the routes of a user stay when the split goes.
        await api.delete(TRAFFICSPLITS, "pay", NAMESPACE)
        profile = await _profile(api, "pay", lambda found: not _overrides(found))
        assert profile["spec"] == {"routes": ROUTES}
        code, checked = await _check(place)
        assert code == 0, checked
        assert "√ nothing is left of the Go extension" in checked


@asynccontextmanager
async def _adaptor(place: Place) -> AsyncIterator[Adaptor]:
    """In this process, so that a minute can pass at once; with its account's rights alone."""
    directory = place.directory / "adaptor"
    directory.mkdir()
    pod = await asyncio.to_thread(AdaptorPod, place.shell, namespace="linkerd-smi")
    kubeconfig = await asyncio.to_thread(pod.kubeconfig, directory / "kubeconfig", place.plane)
    flags = ("-leader-elect", *pod.arguments)
    adaptor = Adaptor(kubeconfig=kubeconfig, directory=directory, flags=flags)
    try:
        await adaptor.start()
        place.kubelet.serve("linkerd-smi", pod.name, {9995: adaptor.daemon.port})
        yield adaptor
    finally:
        await adaptor.stop()


async def _check(place: Place) -> tuple[int, str]:
    done = await asyncio.to_thread(place.shell.attempt, "linkerd smi check --wait=5s")
    return done.code, done.stdout


async def _profile(api: Api, service: str, condition: Callable[[Object | None], object]) -> Object:
    name = f"{service}.{NAMESPACE}.svc.cluster.local"
    found = await api.wait_for(SERVICEPROFILES, name, NAMESPACE, condition)
    return found or {}


def _overrides(profile: Object | None) -> list[Object]:
    found: list[Object] = (profile or {"spec": {}})["spec"].get("dstOverrides", [])
    return found


def _is_about(event: Synced, service: str) -> bool:
    return event.key == (NAMESPACE, service)


def _writes(adaptor: Adaptor) -> list[tuple[str, str, str]]:
    reading = ("get", "list", "watch")
    return [
        request
        for request in adaptor.requests()
        if request[1] == "serviceprofiles" and request[0].lower() not in reading
    ]
