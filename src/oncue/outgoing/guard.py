"""
Which addresses may be reached.

The decision is made on the address that is about to be connected to, after
resolution and again for every redirect: a name that resolves to a private
address, now or on its second look-up, gets no further than any other.
"""

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

# RFC 6052: an IPv4 address in the last 32 bits.
_NAT64 = ip_network("64:ff9b::/96")
# What is given out in IPv6 to be reached from everywhere (RFC 4291 §2.4, IANA).
_GIVEN_OUT = ip_network("2000::/3")
# 6to4's relays (RFC 7526), what Azure answers its own machines by, and documentation (RFC 9637).
_NOT_PUBLIC: tuple[Network, ...] = (
    ip_network("192.88.99.0/24"),
    ip_network("168.63.129.16/32"),
    ip_network("3fff::/20"),
)
# RFC 5214 §6.1: what stands before an IPv4 address at the end of one.
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)


@dataclass(frozen=True, slots=True)
class Guard:
    """
    Lets public addresses through, and what is named here.

    `endpoints` are exact pairs of address and port.
    """

    networks: tuple[Network, ...] = ()
    endpoints: Collection[tuple[str, int]] = frozenset()

    def allows(self, host: str, port: int) -> bool:
        """Return whether `host`, an address as text, may be reached on `port`."""
        address = ip_address(host.partition("%")[0])
        if (str(address), port) in self.endpoints:
            return True
        if any(address in network for network in self.networks):
            return True
        return _is_public(address)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and (translated := _translated(address)):
        return _is_public(translated)
    if not address.is_global or address.is_multicast:
        return False
    if any(address in network for network in _NOT_PUBLIC):
        return False
    if isinstance(address, IPv4Address):
        return True
    return address in _GIVEN_OUT and all(map(_is_public, _embedded(address)))


def _translated(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that is meant by one of IPv6, and nothing else."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped


def _embedded(address: IPv6Address) -> list[IPv4Address]:
    """Return the IPv4 addresses that an IPv6 address leads to through a tunnel."""
    found = [address.sixtofour, *(address.teredo or ())]
    if (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP:
        found.append(IPv4Address(int(address) & 0xFFFF_FFFF))
    return [inner for inner in found if inner is not None]
