"""Which addresses a sink may be led to."""

import pytest

from riskd.sinks.post import Answer, Target, is_public, require_taken
from riskd.sinks.webhook import key_of, signature

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_public(address: str) -> None:
    """The internet at large, by either protocol, through NAT64 too."""
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
        *("192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "fe80::1%lo", "fc00::1", "fec0::1", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:1:2:3:4:80ff:fffe"),
    ],
)
def test_not_public(address: str) -> None:
    """This machine, its networks, the documentation's, multicast, and all of them hidden in an IPv6 address."""
    assert not is_public(address)


def test_every_2xx_is_taken() -> None:
    """Whether or not there is a body."""
    for status in (200, 201, 202, 204):
        require_taken(Target("webhook", "https://host/"), Answer(status, ""))


def test_the_published_example_of_a_signature() -> None:
    """The signature that the Standard Webhooks specification gives for its example."""
    body = b'{"test": 2432232314}'
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_target_shows_no_path() -> None:
    """Neither its name nor its repr carries the path or the query."""
    target = Target("webhook", "https://host/hunter2?key=hunter2")
    assert (target.shown, target.secure) == ("webhook host:443", True)
    assert "hunter2" not in repr(target)
