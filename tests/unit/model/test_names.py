"""Names of services, in all the forms that people write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor.model.names import (
    CrossNamespaceError,
    authority,
    local_service,
    profile_name,
    service_of_profile,
)

DOMAIN = "cluster.local"
labels = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)


@pytest.mark.parametrize("text", ["web", "web.ns", "web.ns.svc", "web.ns.svc.cluster.local"])
def test_every_form_means_the_bare_service(text: str) -> None:
    assert local_service(text, "ns", DOMAIN) == "web"


@pytest.mark.parametrize("text", ["web.other", "web.other.svc", "web.other.svc.cluster.local"])
def test_another_namespace_is_named_as_such(text: str) -> None:
    with pytest.raises(CrossNamespaceError, match="namespace other"):
        local_service(text, "ns", DOMAIN)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Web",
        "web.",
        "web.ns.",
        "web.ns.svc.cluster.local.",
        "web.ns.svc.example.org",
        "web.ns.pod",
        "-web",
        "web-",
        "we b",
        "web\n",
        "w" * 64,
        "web" + ".x" * 400,
        "wéb",
        "\ud800",
    ],
    ids=lambda text: f"{text[:20]!a}",
)
def test_what_is_no_service_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a Service name|is none of") as refusal:
        local_service(text, "ns", DOMAIN)
    assert not isinstance(refusal.value, CrossNamespaceError)


@given(service=labels, namespace=labels, other=labels)
def test_a_profile_name_leads_back_to_its_service_alone(
    service: str, namespace: str, other: str
) -> None:
    name = profile_name(service, namespace, DOMAIN)
    assert name == authority(service, namespace, DOMAIN)
    assert service_of_profile(name, namespace, DOMAIN) == service
    assert local_service(name, namespace, DOMAIN) == service
    assert service_of_profile(name, namespace, "cluster.example") is None
    if other != namespace:
        assert service_of_profile(name, other, DOMAIN) is None


@pytest.mark.parametrize("name", ["web", ".ns.svc.cluster.local", "a.b.ns.svc.cluster.local", ""])
def test_other_profile_names_belong_to_no_service(name: str) -> None:
    assert service_of_profile(name, "ns", DOMAIN) is None
