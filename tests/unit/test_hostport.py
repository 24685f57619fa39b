"""HOST:PORT, as flags take it."""

from __future__ import annotations

import pytest

from reactor import hostport


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (":9995", ("", 9995)),
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("[::1]:9995", ("::1", 9995)),
        ("localhost:65535", ("localhost", 65535)),
    ],
)
def test_host_and_port_are_told_apart(text: str, found: tuple[str, int]) -> None:
    assert hostport.split(text) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "write HOST:PORT or :PORT"),
        ("9995", "write HOST:PORT or :PORT"),
        ("127.0.0.1", "write HOST:PORT or :PORT"),
        (":", "'' is no port"),
        (":x", "'x' is no port: write a number from 0 to 65535"),
        (":65536", "'65536' is no port"),
        (":-1", "'-1' is no port"),
        (":٣", "is no port"),
        ("::1:9995", "an IPv6 address is written in brackets, [::1]:9995"),
        ("[::x]:9995", "[::x] is no IPv6 address"),
        ("http://host:9995", "'http://host' is no host"),
        ("a b:9995", "'a b' is no host"),
        ("[::1:9995", "'[::1' is no host"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_write(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        hostport.split(text)
    assert said in str(caught.value)
