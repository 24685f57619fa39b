"""What the roles refuse, as a connection's requests show it."""

from __future__ import annotations

import pytest

from reactor.kube.permissions import Permissions

DENIED = (
    'serviceprofiles.linkerd.io "web" is forbidden: User "us" cannot patch resource '
    '"serviceprofiles" in API group "linkerd.io" in the namespace "shop"'
)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def permissions(clock: Clock) -> Permissions:
    return Permissions(clock=clock)


def test_a_refusal_says_what_where_and_what_to_do(permissions: Permissions) -> None:
    permissions.forbidden("patch", "serviceprofiles", DENIED)
    (missing,) = permissions.missing()
    assert str(missing) == (
        'no permission to patch serviceprofiles (User "us" cannot patch resource '
        '"serviceprofiles" in API group "linkerd.io" in the namespace "shop"): apply the '
        "ClusterRole of config/rbac, which `linkerd smi install` prints too, and bind it to the "
        "adaptor"
    )
    assert not missing.optional


def test_what_splits_do_without_says_what_it_costs(permissions: Permissions) -> None:
    permissions.forbidden("create", "events", DENIED)
    (missing,) = permissions.missing()
    assert missing.optional
    assert "so no Event on a split tells what became of it" in str(missing)


def test_the_same_right_granted_ends_it_and_no_other(permissions: Permissions) -> None:
    permissions.forbidden("patch", "serviceprofiles", DENIED)
    permissions.granted("create", "serviceprofiles")
    permissions.granted("patch", "events")
    assert len(permissions.missing()) == 1
    permissions.granted("patch", "serviceprofiles")
    assert permissions.missing() == []


def test_what_nobody_asked_for_again_is_forgotten(permissions: Permissions, clock: Clock) -> None:
    permissions.forbidden("delete", "serviceprofiles", DENIED)
    clock.now = 600.0
    assert len(permissions.missing()) == 1
    clock.now = 600.1
    assert permissions.missing() == []


@pytest.mark.parametrize(
    "message",
    [
        'serviceprofiles.linkerd.io "web" is forbidden: exceeded quota: few, requested: 1',
        'admission webhook "policy.io" denied the request: no',
        'serviceprofiles.linkerd.io "web" is forbidden: unable to create new content in namespace '
        "shop because it is being terminated",
    ],
)
def test_other_refusals_are_not_the_roles(permissions: Permissions, message: str) -> None:
    permissions.forbidden("create", "serviceprofiles", message)
    assert permissions.missing() == []
