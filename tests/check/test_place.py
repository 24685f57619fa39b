"""Which namespace is the extension's."""

from __future__ import annotations

from reactor.check import place
from tests.check.objects import GO, container, deployment, labelled, namespace


def test_the_one_labelled_namespace_is_it() -> None:
    assert place.searched([labelled("mesh-smi")], []) == place.Place("mesh-smi")


def test_without_a_label_an_adaptor_shows_the_place_and_the_label_is_what_to_type() -> None:
    found = place.searched([], [deployment(namespace="apps")])
    assert found.namespace == "apps"
    assert found.trouble is not None
    assert found.trouble.warning
    assert found.trouble.hint == "`kubectl label namespace apps linkerd.io/extension=smi`"


def test_nothing_anywhere_means_not_installed() -> None:
    found = place.searched([], [])
    assert found.namespace is None
    assert found.trouble is not None
    assert not found.trouble.warning
    assert "SMI is not installed" in found.trouble.error


def test_of_two_labelled_namespaces_the_one_of_our_adaptor_is_meant() -> None:
    both = [labelled("linkerd-smi"), labelled("smi-old")]
    go = deployment(container(image=GO), namespace="smi-old")
    assert place.searched(both, [go, deployment()]).namespace == "linkerd-smi"
    assert place.searched(both, [go]).namespace == "smi-old"


def test_of_two_with_an_adaptor_one_has_to_be_named() -> None:
    both = [labelled("b"), labelled("a")]
    found = place.searched(both, [deployment(namespace="a"), deployment(namespace="b")])
    assert found.namespace is None
    assert found.trouble is not None
    assert found.trouble.hint == "`linkerd smi check --namespace a`"


def test_a_namespace_that_is_named_has_to_be_there() -> None:
    found = place.named("custom", None)
    assert found.namespace is None
    assert found.trouble is not None
    assert found.trouble.hint == "`linkerd smi install --namespace custom | kubectl apply -f -`"
    assert place.named("custom", labelled("custom")) == place.Place("custom")


def test_a_namespace_that_is_named_need_not_be_labelled() -> None:
    found = place.named("custom", namespace("custom"))
    assert found.namespace == "custom"
    assert found.trouble is not None
    assert found.trouble.warning
