"""Binding the admin port."""

from __future__ import annotations

import socket

import pytest

from reactor.admin.address import bind
from reactor.errors import Fatal


def test_no_host_means_every_interface() -> None:
    with bind(":0") as sock:
        port = sock.getsockname()[1]
        assert sock.getsockname()[0] in {"::", "0.0.0.0"}
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass


def test_a_loopback_address_stays_on_loopback() -> None:
    with bind("127.0.0.1:0") as sock:
        assert sock.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize("address", ["", "9995", "::1:9995"])
def test_what_is_no_address_is_a_wrong_flag(address: str) -> None:
    with pytest.raises(Fatal, match="mend -metrics-addr") as caught:
        bind(address)
    assert caught.value.code == 2


def test_an_address_that_is_not_ours_is_one_clear_line() -> None:
    with pytest.raises(Fatal, match=r"can't listen on .*-metrics-addr") as caught:
        bind("192.0.2.1:0")
    assert "\n" not in str(caught.value)


def test_a_port_in_use_is_named() -> None:
    with bind(":0") as sock:
        port = sock.getsockname()[1]
        with pytest.raises(Fatal, match=f"port {port} is in use"):
            bind(f":{port}")
