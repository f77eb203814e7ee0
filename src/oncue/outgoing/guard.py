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
        return all(_is_public(inner) for inner in (address, *_embedded(address)))


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_multicast


def _embedded(address: Address) -> list[IPv4Address]:
    """Return the IPv4 addresses that an IPv6 address leads to through a translator."""
    if isinstance(address, IPv4Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        found.append(IPv4Address(int(address) & 0xFFFF_FFFF))
    return [inner for inner in found if inner is not None]
