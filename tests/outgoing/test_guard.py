"""Which addresses the guard lets through."""

from ipaddress import ip_network

import pytest

from oncue.outgoing.guard import Guard


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2002:a00:1::",
        "2001:db8::1",
        "3fff::1",
        "192.88.99.1",
        "168.63.129.16",
        "203.0.113.9",
        # IPv4 at the end, as it was meant before it was translated.
        "::7f00:1",
        "::10.0.0.1",
        # Translated by what no longer exists, and by what is local.
        "::ffff:0:127.0.0.1",
        "64:ff9b:1::a00:1",
        # Of a site, and not given out.
        "fec0::1",
        "5f00::1",
        "100::1",
        # In a tunnel: Teredo, ISATAP.
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
        "2606:4700::5efe:127.0.0.1",
        "2606:4700::200:5efe:a9fe:a9fe",
        "2002:c058:6301::",
    ],
)
def test_what_is_not_public_is_refused(host: str) -> None:
    assert not Guard().allows(host, 443)


@pytest.mark.parametrize(
    "host",
    [
        "1.1.1.1",
        "93.184.216.34",
        "2606:4700::1111",
        "64:ff9b::101:101",
        "::ffff:1.1.1.1",
        "2002:101:101::",
        "2606:4700::5efe:101:101",
    ],
)
def test_what_is_public_passes(host: str) -> None:
    assert Guard().allows(host, 443)


def test_a_named_network_passes_and_nothing_beside_it() -> None:
    guard = Guard((ip_network("10.1.0.0/16"),))

    assert guard.allows("10.1.2.3", 80)
    assert not guard.allows("10.2.0.1", 80)
    assert not guard.allows("::ffff:10.2.0.1", 80)


def test_a_named_endpoint_is_one_port_of_one_address() -> None:
    guard = Guard(endpoints=frozenset({("127.0.0.1", 8080)}))

    assert guard.allows("127.0.0.1", 8080)
    assert not guard.allows("127.0.0.1", 8081)
    assert not guard.allows("127.0.0.2", 8080)
