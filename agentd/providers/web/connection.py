"""A request to a target that the guard let through: to one of its addresses, in the name of its host.

The transport is used without a client around it, so nothing is added or kept: no cookies, no passwords of a netrc, no
proxy, no redirects followed. The address of the request holds numbers, and the name stands in ``Host`` and in the TLS
handshake, against which the certificate is checked.
"""

from __future__ import annotations

import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx

from agentd import __version__
from agentd.errors import WebError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from agentd.providers.web.address import IPAddress
    from agentd.providers.web.guard import Target

AGENT = "agentd"
"""The product token that a ``robots.txt`` can name."""

MAX_TRIED = 3
"""Addresses of one name that are tried."""

_HEADERS = {
    "User-Agent": f"{AGENT}/{__version__}",
    "Accept": "text/html,application/xhtml+xml,text/markdown,text/plain;q=0.9,application/pdf;q=0.8",
    "Accept-Encoding": "gzip",
    "Connection": "close",
}


class Connections:
    """Opens connections, each for one request: a kept one was made in the name of one host, and would serve another of
    the same address.
    """

    def __init__(self, parallel: int, seconds: float, certificates: ssl.SSLContext | None = None) -> None:
        self._seconds = seconds
        self._transport = httpx.AsyncHTTPTransport(
            verify=certificates or ssl.create_default_context(),
            trust_env=False,
            limits=httpx.Limits(max_connections=2 * parallel, max_keepalive_connections=0),
        )

    async def close(self) -> None:
        """Close what is open."""
        await self._transport.aclose()

    @asynccontextmanager
    async def get(self, target: Target) -> AsyncGenerator[httpx.Response]:
        """The answer to a GET, its body not read yet.

        Raises:
            WebError: there is none, or it breaks off.
        """
        try:
            response = await self._answer(target)
            try:
                yield response
            finally:
                await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
            raise WebError(f"{target.host} {_reason(error)}", host=target.host) from error

    async def _answer(self, target: Target) -> httpx.Response:
        *others, last = target.addresses[:MAX_TRIED]
        for address in others:
            try:
                return await self._send(target, address)
            except (httpx.ConnectError, httpx.ConnectTimeout):  # often an IPv6 address in a network that has none
                continue
        return await self._send(target, last)

    async def _send(self, target: Target, address: IPAddress) -> httpx.Response:
        seconds = self._seconds
        patience = {"connect": seconds / 2, "read": seconds, "write": seconds, "pool": seconds}
        request = httpx.Request(
            "GET",
            target.url.copy_with(host=str(address)),
            headers={"Host": target.url.netloc.decode("ascii"), **_HEADERS},
            extensions={"timeout": patience, "sni_hostname": target.host.rstrip(".")},
        )
        response = await self._transport.handle_async_request(request)
        response.request = request
        return response


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.ConnectTimeout):
        return "did not accept a connection in time"
    if isinstance(error, httpx.TimeoutException):
        return "was silent for too long"
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "has a certificate that is not trusted"
    if isinstance(error, httpx.ConnectError):
        return f"cannot be reached: {error}"
    return f"broke off, or did not speak HTTP: {str(error) or type(error).__name__}"
