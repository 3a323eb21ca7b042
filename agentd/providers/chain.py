"""Several chat models as one: tried in order, and the first that answers as a whole wins."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import structlog

from agentd.errors import AgentdError, EgressError, NoProviderError, ProviderError
from agentd.providers.contracts import Discarded, Finished

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from agentd.providers.contracts import ChatEvent, ChatModel, ChatRequest

log = structlog.get_logger(__name__)


class ChatChain:
    """A ChatModel. What failed in the middle is declared void before the next one begins: nobody gets halves joined."""

    def __init__(self, models: Sequence[ChatModel]) -> None:
        self._models = tuple(models)

    @property
    def name(self) -> str:
        """Those of its models, in their order."""
        return " -> ".join(model.name for model in self._models)

    @property
    def context_tokens(self) -> int:
        """The least of its models, so that any of them can take over."""
        return min((model.context_tokens for model in self._models), default=0)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatEvent]:
        """See ``ChatModel``."""
        failed: list[tuple[str, AgentdError]] = []
        for number, model in enumerate(self._models, 1):
            begun = False
            try:
                async with aclosing(model.stream(request)) as events:
                    async for event in events:
                        begun = True
                        yield event
                        if isinstance(event, Finished):
                            return
            except (EgressError, ProviderError) as error:
                log.warning("chat_model_failed", model=model.name, kind=error.kind, begun=begun, reason=error.message)
                failed.append((model.name, error))
                if begun and number < len(self._models):
                    yield Discarded(model.name, error.message)
        raise _all_failed(failed)


def _all_failed(failed: Sequence[tuple[str, AgentdError]]) -> AgentdError:
    """One error that names each; where only the configuration stands in the way, it says so."""
    if not failed:
        return NoProviderError(
            'no chat model is configured: name a [[provider]] with a chat_model in [chat] chain = ["…"]'
        )
    reasons = "; ".join(f"{name}: {error.message}" for name, error in failed)
    if all(isinstance(error, EgressError) for _, error in failed):
        return EgressError(reasons)
    kinds = {name: error.kind for name, error in failed}
    return NoProviderError(f"no chat model could answer: {reasons}", providers=kinds)
