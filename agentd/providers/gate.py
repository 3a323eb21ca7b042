"""The gate that everything which leaves the machine goes through: policy first, then secrets are cut out, then one line
says what left.

Policy is read from the configuration alone. An address on the loopback interface is this machine: nothing leaves, and
nothing is cut.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import structlog

from agentd.errors import EgressError
from agentd.kernels.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from agentd.config.settings import RootSettings
    from agentd.observability.metrics import Metrics
    from agentd.providers.contracts import Outgoing

log = structlog.get_logger(__name__)

IN_PLACE_CHARS = 16 * 1024
"""Searched for secrets on the loop: some 0.1 ms. More goes to a worker."""


class Redacted(NamedTuple):
    """Texts with each secret replaced by ``[KIND]``, and how many there were of each kind."""

    texts: list[str]
    counts: Counter[str]


def redact(texts: Sequence[str]) -> Redacted:
    """Cut the secrets out of ``texts``."""
    counts: Counter[str] = Counter()
    return Redacted([redacted(text, counts) for text in texts], counts)


def is_loopback(url: str) -> bool:
    """Whether ``url`` leads to this machine by its address, or as ``localhost`` (RFC 6761). No other name counts,
    whatever it resolves to today.
    """
    host = urlsplit(url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


class Gate:
    """Asked by every provider before it sends, and told by it what it sent.

    ``rule`` gives what the configuration says about a root (an absolute path); ``redact_long`` does in a worker what
    :func:`redact` does.
    """

    def __init__(
        self,
        rule: Callable[[str], RootSettings],
        metrics: Metrics,
        redact_long: Callable[[Sequence[str]], Awaitable[Redacted]],
    ) -> None:
        self._rule = rule
        self._metrics = metrics
        self._redact_long = redact_long

    async def admit(
        self, outgoing: Outgoing, provider: str, url: str, texts: Sequence[str], *, relayed: bool = False
    ) -> list[str]:
        """What may be sent to ``url`` of ``texts``: all of it to this machine, else without the secrets.

        What a server will pass on is ``relayed``: then it leaves, wherever that server stands.

        Raises:
            EgressError: a root does not allow it; nothing may be sent.
        """
        if is_loopback(url) and not relayed:
            return list(texts)
        self.check(outgoing, provider, url, relayed=relayed)
        short = sum(map(len, texts)) <= IN_PLACE_CHARS
        redacted = redact(texts) if short else await self._redact_long(texts)
        for kind, count in redacted.counts.items():
            self._metrics.counter("egress_redacted", kind=kind).increment(count)
        if redacted.counts:
            log.info("egress_redacted", provider=provider, purpose=outgoing.purpose, **redacted.counts)
        return redacted.texts

    def check(self, outgoing: Outgoing, provider: str, url: str, *, relayed: bool = False) -> None:
        """Refuse what a root does not allow.

        Raises:
            EgressError: names the roots and the line of configuration that would allow it.
        """
        if is_loopback(url) and not relayed:
            return
        refusing = sorted(root for root in outgoing.roots if outgoing.purpose not in self._rule(root).egress)
        if refusing or not outgoing.roots:
            self._metrics.counter("egress_refused", purpose=outgoing.purpose).increment()
            raise EgressError(refusal(outgoing.purpose, provider, refusing), provider=provider, roots=refusing)

    def sent(self, outgoing: Outgoing, provider: str, url: str, size: int, *, relayed: bool = False) -> None:
        """Note that a request of ``size`` bytes left: one line of the log each, and never what was in it."""
        if is_loopback(url) and not relayed:
            return
        self._metrics.counter("egress_requests", purpose=outgoing.purpose, provider=provider).increment()
        self._metrics.counter("egress_bytes", purpose=outgoing.purpose, provider=provider).increment(size)
        host = urlsplit(url).hostname
        log.info(
            "egress", provider=provider, host=host, purpose=outgoing.purpose, roots=sorted(outgoing.roots), bytes=size
        )


def refusal(purpose: str, provider: str, roots: Sequence[str]) -> str:
    """Why nothing may be sent, and what would change that."""
    if not roots:
        return f"nothing is sent to {provider}: no root is named that could allow it"
    named = ", ".join(roots[:3]) + (f" and {len(roots) - 3} more" if len(roots) > 3 else "")
    return (
        f"the configuration does not let text of {named} go to {provider}: "
        f'an entry [[root]] with that path and egress = ["{purpose}"] would allow it'
    )
