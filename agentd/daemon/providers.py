"""The servers that the configuration names, and the gate in front of them; without any, nothing is built."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from cachetools import LRUCache

from agentd.compute.pool import Lane
from agentd.kernels.messages import RedactRequest
from agentd.kernels.registry import REDACT, REMOTE_VECTORS
from agentd.providers.gate import Gate, Redacted
from agentd.providers.probe import Probe
from agentd.storage.probes import ProbeRow

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from contextlib import AsyncExitStack

    from agentd.compute.pool import Pool
    from agentd.config.settings import RootSettings, Settings
    from agentd.kernels.messages import RemoteVectors, RemoteVectorsRequest
    from agentd.observability.metrics import Metrics
    from agentd.providers.build import Providers
    from agentd.storage.probes import Probes


REMEMBERED_CHARS = 2 * 1024 * 1024
"""Of files that were looked through for secrets last. The masked text of those that hold some takes as much again."""


def make_gate(rule: Callable[[str], RootSettings], pool: Pool, metrics: Metrics) -> Gate:
    """The gate; ``rule`` says what the configuration in force allows for a root."""

    async def redact_long(texts: Sequence[str]) -> Redacted:
        found = await pool.run(REDACT, RedactRequest(list(texts)), lane=Lane.INTERACTIVE)
        return Redacted(found.texts, Counter(found.counts))

    return Gate(rule, metrics, redact_long)


def make_masker(pool: Pool, as_it_is: Callable[[], bool]) -> Callable[[str], Awaitable[str]]:
    """Masks secrets in a text, in a worker; where ``as_it_is``, the index holds them too, and they stay.

    A tool that reads many places of one file at once has it looked through once: each waits for the one before.
    """
    remembered: LRUCache[str, str] = LRUCache(REMEMBERED_CHARS, getsizeof=len)
    turn = asyncio.Lock()

    async def masked(text: str) -> str:
        if as_it_is():
            return text
        async with turn:
            if text in remembered:
                return remembered[text]
            found = await pool.run(REDACT, RedactRequest([text], mask=True), lane=Lane.INTERACTIVE)
            if len(text) <= REMEMBERED_CHARS:
                remembered[text] = text if found.texts[0] == text else found.texts[0]
        return found.texts[0]

    return masked


async def open_providers(
    settings: Settings,
    credentials: Mapping[str, str],
    gate: Gate,
    pool: Pool,
    probes: Probes,
    metrics: Metrics,
    stack: AsyncExitStack,
) -> Providers | None:
    """Every server of the configuration, which ``stack`` closes; None where there is none."""
    if not settings.providers:
        return None
    from agentd.providers.build import build_providers  # noqa: PLC0415  # half a second of httpx, for those who need it

    async def decode(request: RemoteVectorsRequest, *, query: bool) -> RemoteVectors:
        return await pool.run(REMOTE_VECTORS, request, lane=Lane.INTERACTIVE if query else Lane.BULK)

    providers = build_providers(settings, credentials, gate, decode, StoredProbes(probes), metrics)
    stack.push_async_callback(providers.close)
    return providers


class StoredProbes:
    """Remembers in ``index.db`` what models made of the probe. A ProbeMemory."""

    def __init__(self, stored: Probes) -> None:
        self._stored = stored

    async def get(self, key: str) -> list[Probe]:
        """See ProbeMemory."""
        return [Probe(*row) for row in await self._stored.get(key)]

    async def put(self, key: str, probe: Probe) -> None:
        """See ProbeMemory."""
        await self._stored.put(key, ProbeRow(probe.codes, probe.scale, probe.revision))
