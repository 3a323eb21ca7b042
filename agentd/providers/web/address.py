"""Which addresses may be fetched: those that are everybody's, and none that leads into this machine or its network.

Pure functions of addresses; resolving names is the guard's. Ranges: IANA's special-purpose address registries,
https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

IPAddress = IPv4Address | IPv6Address

METADATA = frozenset(
    map(
        ip_address,
        # Amazon, Google, Azure and many others; Amazon over IPv6; Alibaba; Oracle; Azure's host of agents.
        ("169.254.169.254", "169.254.170.2", "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"),
    )
)
"""Where clouds hand a machine its keys. One of these is an address like any other to the registries."""

_NETWORKS_4 = tuple(
    (IPv4Network(network), name)
    for network, name in (
        ("0.0.0.0/8", "of this network"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "of a carrier's own network"),
        ("127.0.0.0/8", "of this machine"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "for documentation"),
        ("192.88.99.0/24", "reserved"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "for benchmarks"),
        ("198.51.100.0/24", "for documentation"),
        ("203.0.113.0/24", "for documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)
_NETWORKS_6 = tuple(
    (IPv6Network(network), name)
    for network, name in (
        ("::/128", "unspecified"),
        ("::1/128", "of this machine"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "private"),
        ("ff00::/8", "multicast"),
        ("2001:db8::/32", "for documentation"),
        ("3fff::/20", "for documentation"),
        ("2001::/23", "reserved"),
        ("5f00::/16", "reserved"),
        ("100::/64", "discarded"),
    )
)
_GLOBAL_6 = IPv6Network("2000::/3")
"""All that IANA has given out for one host to reach another; the rest is not the web's."""

_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_TRANSLATED = IPv6Network("::ffff:0:0:0/96")
_COMPATIBLE = IPv6Network("::/96")


def refusal(address: IPAddress) -> str:
    """Why ``address`` may not be fetched, in words that follow "is"; empty where it may.

    An IPv6 address that carries an IPv4 one is judged by that one too.
    """
    if address in METADATA:
        return "where clouds keep their keys"
    if isinstance(address, IPv4Address):
        return next((name for network, name in _NETWORKS_4 if address in network), "")
    if address.scope_id is not None:
        return "bound to one interface of this machine"
    if inner := _carried(address):
        # In a network that has no IPv4, DNS64 gives every host of the old web an address under this prefix.
        reason = refusal(inner) or ("" if address in _NAT64[0] else "an IPv4 address in disguise")
        return f"{reason} ({inner})" if reason else ""
    for network, name in _NETWORKS_6:
        if address in network:
            return name
    return "" if address in _GLOBAL_6 else "reserved"


def _carried(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address within: mapped, compatible, translated, NAT64, 6to4, Teredo or ISATAP."""
    if inner := address.ipv4_mapped or address.sixtofour:
        return inner
    if address.teredo:
        return address.teredo[1]
    low = IPv4Address(int(address) & 0xFFFF_FFFF)
    isatap = (int(address) >> 32) & 0xFCFF_FFFF == 0x0000_5EFE  # RFC 5214, section 6.1
    if isatap or address in _TRANSLATED or any(address in network for network in _NAT64):
        return low
    if address in _COMPATIBLE and int(address) > 1:
        return low
    return None


def literal(host: str) -> IPAddress | None:
    """The address that ``host`` is, in any of the ways that C libraries read (``0x7f.1``, ``017700000001``,
    ``2130706433``, a zone after ``%``); None for a name.
    """
    bare = host.strip("[]").replace("%25", "%")
    with suppress(ValueError):
        return ip_address(bare)
    if bare and bare[0].isdigit() and bare.isascii() and not bare.strip("0123456789abcdefABCDEFxX."):
        with suppress(OSError):
            return IPv4Address(socket.inet_aton(bare))
    return None
