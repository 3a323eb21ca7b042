"""From the configuration to models by the names of their providers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import structlog

from agentd.providers.breaker import Breaker
from agentd.providers.chain import ChatChain
from agentd.providers.chat import RemoteChat
from agentd.providers.contracts import Outgoing, ProviderStatus
from agentd.providers.embedding import RemoteEmbedding
from agentd.providers.gate import is_loopback
from agentd.providers.http import Server, make_client
from agentd.providers.ollama import OllamaChat, OllamaEmbedding
from agentd.providers.openai import OpenAIChat, OpenAIEmbedding
from agentd.providers.rate import Limiter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

    from agentd.config.settings import ProviderSettings, Settings
    from agentd.observability.metrics import Metrics
    from agentd.providers.chat import ChatDialect
    from agentd.providers.embedding import Decoder, EmbeddingDialect
    from agentd.providers.gate import Gate
    from agentd.providers.probe import ProbeMemory

log = structlog.get_logger(__name__)

_EMBEDDING: dict[str, type[EmbeddingDialect]] = {"openai": OpenAIEmbedding, "ollama": OllamaEmbedding}
_CHAT: dict[str, type[ChatDialect]] = {"openai": OpenAIChat, "ollama": OllamaChat}
_WORST_FIRST = ("refused", "waiting", "ok", "untried")


class ChatAway(NamedTuple):
    """A server that is not asked to chat for now."""

    name: str
    state: str
    reason: str


class _Built(NamedTuple):
    """One server and what became of it. ``breakers`` are by purpose."""

    server: Server
    breakers: Mapping[str, Breaker]
    embedding: RemoteEmbedding | None
    chat: RemoteChat | None
    unusable: str

    def status(self) -> ProviderStatus:
        """The worse of its purposes."""
        settings = self.server.settings
        worst = min(self.breakers.values(), key=lambda breaker: _WORST_FIRST.index(breaker.state))
        last = max((each.last_failure for each in self.breakers.values() if each.last_failure), default=(None, ""))
        return ProviderStatus(
            settings.name,
            settings.kind,
            tuple(self.breakers),
            worst.state,
            worst.reason,
            dict(self.server.counts),
            last_failure=last[1],
            last_failure_at=last[0],
        )


class Providers:
    """Every server of the configuration, and the one client they share."""

    def __init__(self, built: Mapping[str, _Built], chain: tuple[str, ...], client: httpx.AsyncClient) -> None:
        self.embeddings = {name: each.embedding for name, each in built.items() if each.embedding is not None}
        """By the name of the provider."""
        self.chats = {name: each.chat for name, each in built.items() if each.chat is not None}
        """By the name of the provider."""
        self.chat = self._chained(chain)
        """The chain of ``[chat]``; None without one, and then answers are extractive."""
        self.client = client
        self._built = built
        self._chain = chain

    def statuses(self) -> list[ProviderStatus]:
        """Of all, in the order of the configuration."""
        return [each.status() for each in self._built.values()]

    def silent_chats(self) -> list[ChatAway]:
        """Those of the chat chain that are left alone now."""
        breakers = {name: self._built[name].breakers["chat"] for name in self._chain}
        return [
            ChatAway(name, breaker.state, breaker.reason) for name, breaker in breakers.items() if breaker.left_alone
        ]

    def adopt(self, settings: Settings) -> None:
        """Take the rules, and the chain of chat models, of a configuration that was read again. Whoever has that done
        may have mended something: servers that are left alone are tried again.
        """
        for name, model in self.embeddings.items():
            model.probing = probing(settings, name)
        self._chain = settings.chat.chain
        self.chat = self._chained(self._chain)
        self.try_again()

    def _chained(self, names: Sequence[str]) -> ChatChain | None:
        return ChatChain([self.chats[name] for name in names]) if names else None

    def try_again(self) -> None:
        """Forget failures: a person says that something was mended. What lacks its key still lacks it."""
        for each in self._built.values():
            for breaker in () if each.unusable else each.breakers.values():
                breaker.reset()

    async def close(self) -> None:
        """Close the connections; whoever still waits for an answer has been cancelled before."""
        await self.client.aclose()


def build_providers(
    settings: Settings,
    credentials: Mapping[str, str],
    gate: Gate,
    decode: Decoder,
    memory: ProbeMemory,
    metrics: Metrics,
    client: httpx.AsyncClient | None = None,
) -> Providers:
    """Build all; nothing is sent. A provider without its key is there, and refused, until the daemon gets the key.

    httpx takes a good part of a second to import: call this, and import this module, where a provider is configured.
    """
    client = client or make_client()
    built: dict[str, _Built] = {}
    for provider in settings.providers:
        key = credentials.get(provider.credential, "") if provider.credential else ""
        limiter = Limiter(provider.parallel, provider.requests_per_minute, provider.tokens_per_minute)
        server = Server(provider, key, client, limiter, gate, metrics)
        built[provider.name] = _models(server, key, decode, memory, probing(settings, provider.name))
    return Providers(built, settings.chat.chain, client)


def _models(server: Server, key: str, decode: Decoder, memory: ProbeMemory, on_behalf: Outgoing) -> _Built:
    provider = server.settings
    breakers: dict[str, Breaker] = {}
    embedding = chat = None
    if provider.embedding_model:
        breaker = breakers["embeddings"] = Breaker(provider.name)
        embedding = RemoteEmbedding(server, _EMBEDDING[provider.kind](), breaker, decode, memory, on_behalf)
    if provider.chat_model:
        breaker = breakers["chat"] = Breaker(provider.name)
        chat = RemoteChat(server, _CHAT[provider.kind](), breaker, key)
    reason = _unusable(provider, key)
    if reason:
        for breaker in breakers.values():
            breaker.refuse(reason)
        log.warning("provider_unusable", provider=provider.name, reason=reason)
    return _Built(server, breakers, embedding, chat, reason)


def _unusable(provider: ProviderSettings, key: str) -> str:
    """Why it cannot even be asked; empty where it can."""
    if provider.credential and not key:
        return (
            f'provider {provider.name} has no key: give the service the credential "{provider.credential}" '
            f"(LoadCredential={provider.credential}:FILE), and restart it"
        )
    if not all("!" <= char <= "~" for char in key):
        what = "expected letters, digits and signs of ASCII without spaces, found others"
        return f'the credential "{provider.credential}" of provider {provider.name} is no key: {what}'
    if key and provider.base_url.startswith("http://") and not is_loopback(provider.base_url):
        return f"provider {provider.name} would get its key in the clear: expected https in base_url, found http"
    return ""


def probing(settings: Settings, name: str) -> Outgoing:
    """On whose behalf a provider is asked who it is: the roots that let text go there. Without one it never is."""
    roots = frozenset(
        rule.path
        for rule in settings.rules
        if "embeddings" in rule.egress and name in (rule.embeddings or settings.embedding.chain)
    )
    return Outgoing("embeddings", roots)
