"""Wrong usage of `stat`: one line, exit code 2, and no cluster asked."""

from __future__ import annotations

import pytest

from reactor.cli.extension import smi
from reactor.errors import Fatal


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "say of what: write ts, or ts/NAME"),
        (["deploy/web"], "'deploy/web' is none of its kinds: write ts, or ts/NAME"),
        (["ts/a", "pods/b"], "'pods/b' is none of its kinds: write ts, or ts/NAME"),
        (["ts/"], "the name after ts/ is missing"),
        (["ts", ""], "the name after ts/ is missing"),
        (["ts/a", "-A"], "-A and the name of a split exclude each other"),
        (["ts", "-n", "no_namespace"], "--namespace: 'no_namespace' is no namespace"),
        (["ts", "-n", "Shop"], "--namespace: 'Shop' is no namespace: write 1 to 63 of a-z, 0-9"),
        (["ts", "-t", "soon"], "--time-window: 'soon': write a duration such as"),
        (["ts", "-t=5s"], "--time-window: 5s is too short: 15s or more"),
        (["ts", "--cluster-domain", "A b"], "--cluster-domain: 'A b': write a DNS name such as"),
        (["ts", "--prometheus-url", "prometheus:9090"], "write a URL such as http://"),
        (["ts", "--prometheus-url", "http://[::1"], "write a URL such as http://"),
        (["ts", "--prometheus-url", "http://there:port"], "write a URL such as http://"),
    ],
)
def test_wrong_usage_says_what_to_write(arguments: list[str], says: str) -> None:
    with pytest.raises(Fatal) as caught:
        smi.main(["stat", *arguments], standalone_mode=False)
    assert says in str(caught.value)
    assert caught.value.code == 2
