from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.providers.web.address import literal, refusal

ANY_4 = st.ip_addresses(v=4)
ANY_6 = st.ip_addresses(v=6)


@given(ANY_4 | ANY_6)
def test_whatever_the_registries_do_not_call_global_is_refused(address: IPv4Address | IPv6Address) -> None:
    if not address.is_global or address.is_multicast or address.is_reserved:
        carries = isinstance(address, IPv6Address) and str(address).startswith("64:ff9b::")
        assert refusal(address) or carries


@given(st.sampled_from(["127.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12",
                        "192.168.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "0.0.0.0/8", "198.18.0.0/15"])
       .flatmap(lambda network: st.ip_addresses(network=network)))  # fmt: skip
def test_special_addresses_are_refused_in_every_dress(address: IPv4Address) -> None:
    number = int(address)
    dressed = [
        IPv6Address(f"::ffff:{address}"),
        IPv6Address(number) if number > 1 else IPv6Address("::"),
        IPv6Address(f"64:ff9b::{address}"),
        IPv6Address(f"64:ff9b:1::{address}"),
        IPv6Address(f"::ffff:0:{address}"),
        IPv6Address((0x2002 << 112) | (number << 80)),
        IPv6Address((0x2001_0000 << 96) | (~number & 0xFFFF_FFFF)),
        IPv6Address((0x2606_4700 << 96) | (0x0000_5EFE << 32) | number),
    ]
    every: list[IPv4Address | IPv6Address] = [address, *dressed]
    for each in every:
        assert refusal(each), each


@given(st.sampled_from(["::/8", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "2001:db8::/32", "4000::/3"])
       .flatmap(lambda network: st.ip_addresses(network=network)))  # fmt: skip
def test_what_is_outside_of_the_global_ipv6_internet_is_refused(address: IPv6Address) -> None:
    assert refusal(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_addresses_of_the_web_are_let_through(address: str) -> None:
    assert refusal(ip_address(address)) == ""


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254"]
)
def test_where_clouds_keep_keys_is_refused_by_that_name(address: str) -> None:
    assert "keys" in refusal(ip_address(address))


@given(ANY_4)
def test_every_spelling_of_an_address_is_that_address(address: IPv4Address) -> None:
    number = int(address)
    one, two, three, four = address.packed
    spellings = [str(number), hex(number), f"0{number:o}" if number else "0", f"{one}.{number & 0xFF_FFFF}",
                 f"0x{one:x}.0{two:o}.{three}.{four}", f"{one}.{two}.{number & 0xFFFF}"]  # fmt: skip
    for spelling in spellings:
        assert literal(spelling) == address, spelling


@pytest.mark.parametrize("host", ["example.org", "1e100.net", "face.b00c", "x.0", "", "0x7f.1.example"])
def test_names_are_no_addresses(host: str) -> None:
    assert literal(host) is None


def test_a_zone_is_refused() -> None:
    assert (found := literal("fe80::1%25eth0")) is not None
    assert "interface" in refusal(found)
