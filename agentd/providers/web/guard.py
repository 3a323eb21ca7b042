"""The guard before every connection to the web: it reads the address, resolves the name itself and judges every address
behind it. What it lets through is a target with numbers in it, so whatever the name resolves to a moment later, the
connection goes to what was judged.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

import httpx

from agentd.errors import AddressRefusedError, WebError
from agentd.providers.web.address import IPAddress, literal, refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Resolver = Callable[[str, int], Awaitable[list[str]]]

PORTS = {"http": (80,), "https": (443,)}
"""Pages are served there. On others a request may mean something to a server that is none of the web's."""

MAX_URL_CHARS = 2048
MAX_ADDRESSES = 16
"""Of one name. More are an attempt to keep us busy."""

RESOLVE_SECONDS = 5.0


class Target(NamedTuple):
    """Where to connect for ``url``: its host is ``host``, at any of ``addresses``, each of which was judged."""

    url: httpx.URL
    host: str
    port: int
    addresses: tuple[IPAddress, ...]


class Guard:
    """Judges addresses. ``exempt`` lets an address and port through that would be refused: for tests, which have no
    other server than one of this machine. No setting leads to it.
    """

    def __init__(
        self, *, resolve: Resolver | None = None, exempt: Callable[[IPAddress, int], bool] = lambda *_: False
    ) -> None:
        self._resolve = resolve or resolve_host
        self._exempt = exempt

    async def admit(self, address: str) -> Target:
        """Where to connect for the address of a page.

        Raises:
            AddressRefusedError: it is none that may be fetched.
            WebError: its name cannot be resolved.
        """
        url = parse(address)
        port = url.port or PORTS[url.scheme][0]
        host = url.raw_host.decode("ascii")
        known = literal(host)
        addresses = (known,) if known is not None else await self._resolved(host, port)
        for each in addresses:
            self._check(host, port, url.scheme, each)
        return Target(url, host, port, addresses)

    async def _resolved(self, host: str, port: int) -> tuple[IPAddress, ...]:
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                found = await self._resolve(host, port)
        except TimeoutError as error:
            raise WebError(f"the name {host} was not resolved within {RESOLVE_SECONDS:g} s", host=host) from error
        except (OSError, UnicodeError) as error:
            raise WebError(f"the name {host} cannot be resolved: {_reason(error)}", host=host) from error
        if not found or len(found) > MAX_ADDRESSES:
            raise WebError(f"the name {host} has {len(found)} addresses; expected 1 to {MAX_ADDRESSES}", host=host)
        return tuple(map(ip_address, dict.fromkeys(found)))

    def _check(self, host: str, port: int, scheme: str, address: IPAddress) -> None:
        if self._exempt(address, port):
            return
        if reason := refusal(address):
            shown = host if literal(host) else f"{host} ({address})"
            raise AddressRefusedError(f"{shown} is not fetched: its address is {reason}", host=host)
        if port not in PORTS[scheme]:
            raise AddressRefusedError(
                f"{host} is not fetched at port {port}: {scheme} is read at its own alone", host=host
            )


def parse(address: str) -> httpx.URL:
    """Read an address.

    Raises:
        AddressRefusedError: it is no address of a page that may be fetched.
    """
    if len(address) > MAX_URL_CHARS:
        raise AddressRefusedError(
            f"an address of {len(address)} characters is not fetched; at most {MAX_URL_CHARS} are"
        )
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise AddressRefusedError(f"{address[:200]!r} is no address of a page: {error}") from error
    if url.scheme not in PORTS:
        raise AddressRefusedError(f"{address[:200]!r} is not fetched: expected http or https")
    if url.userinfo:
        raise AddressRefusedError(
            f"an address of {url.host} with a name or password in it is not fetched", host=url.host
        )
    if not url.raw_host.strip(b".") or b"%" in url.raw_host.replace(b"%25", b"") or b"\\" in url.raw_host:
        raise AddressRefusedError(f"{address[:200]!r} names no host")
    return url.copy_with(fragment=None)


async def resolve_host(host: str, port: int) -> list[str]:
    """The addresses of a name, by the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or str(error) or "no reason given"
