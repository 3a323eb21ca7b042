"""The model in our own workers, as every other embedding model is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.compute.pool import Lane, Priority
from agentd.kernels.messages import EmbedRequest
from agentd.kernels.registry import EMBED
from agentd.providers.contracts import Embedded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.compute.pool import Pool
    from agentd.config.settings import EmbeddingSettings
    from agentd.domain import Space
    from agentd.providers.contracts import Outgoing


class LocalModel:
    """An EmbeddingModel; nothing leaves the machine, so ``outgoing`` says nothing here."""

    def __init__(self, pool: Pool, directory: str, space: Space, settings: EmbeddingSettings) -> None:
        self.space = space
        self.directory = directory
        self._pool = pool
        self._settings = settings

    async def probe(self) -> None:
        """See EmbeddingModel: its revision was computed from its files."""

    async def embed(self, texts: Sequence[str], outgoing: Outgoing, *, query: bool = False) -> Embedded:  # noqa: ARG002  # the contract
        """See EmbeddingModel. Raises ComputeError, BusyError."""
        settings = self._settings
        request = EmbedRequest(self.directory, list(texts), settings.max_tokens, settings.batch_tokens)
        lane, priority = (Lane.INTERACTIVE, Priority.PARSE) if query else (Lane.BULK, Priority.EMBED)
        result = await self._pool.run(EMBED, request, lane=lane, priority=priority)
        return Embedded(result.codes, result.scales, result.truncated, result.tokens, self.space)
