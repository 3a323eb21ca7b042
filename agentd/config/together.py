"""What no single value shows: names that must exist, values that must fit each other."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agentd.config.commands import BUILT_IN, check_tool
from agentd.config.schema import nearest
from agentd.config.settings import LOCAL
from agentd.config.tool_names import OTHERWISE
from agentd.config.users import user_ids
from agentd.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agentd.config.settings import ProviderSettings, Settings


def check_together(settings: Settings, origins: Mapping[str, str]) -> None:
    """Refuse what cannot work.

    Raises:
        ConfigError: says where, what was expected and what was found.
    """
    user_ids(settings.server.allowed_users)
    _check_limits(settings, origins)
    names = [provider.name for provider in settings.providers]
    _refuse_repeated("provider", names)
    _refuse_repeated("root", [rule.path for rule in dict.fromkeys(settings.rules)])
    for provider in settings.providers:
        _check_provider(provider)
    _refuse_repeated("tool", [tool.name for tool in settings.tools])
    for tool in settings.tools:
        check_tool(tool)
    _check_agent(settings, origins)
    _check_searxng(settings, origins)
    for where, chain in _embedding_chains(settings, origins).items():
        _check_chain(settings, where, chain, "embedding_model", lambda each: each.embedding_model)
    chat = origins.get("chat.chain", "chat.chain")
    _check_chain(settings, chat, settings.chat.chain, "chat_model", lambda each: each.chat_model)


def _check_limits(settings: Settings, origins: Mapping[str, str]) -> None:
    search = settings.search
    if search.default_limit > search.max_limit:
        origin = origins.get("search.default_limit") or origins.get("search.max_limit", "default")
        raise ConfigError(
            f"{origin}: expected search.default_limit up to search.max_limit, "
            f"found {search.default_limit} and {search.max_limit}"
        )


def _refuse_repeated(what: str, names: Sequence[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise ConfigError(f"expected each [[{what}]] once, found {count} different ones of {name}")


def _check_provider(provider: ProviderSettings) -> None:
    if provider.name == LOCAL:
        raise ConfigError(f'provider {LOCAL}: "{LOCAL}" is the model in the package; expected another name')
    if not provider.base_url:
        raise ConfigError(f"provider {provider.name}: expected base_url, such as https://host/v1, found nothing")
    _check_url(f"provider {provider.name}: base_url", provider.base_url)
    if not provider.embedding_model and not provider.chat_model:
        raise ConfigError(f"provider {provider.name}: expected embedding_model or chat_model, found neither")


def _check_agent(settings: Settings, origins: Mapping[str, str]) -> None:
    known = sorted(BUILT_IN | {tool.name for tool in settings.tools})
    for name in settings.agent.tools:
        if name not in known:
            where = origins.get("agent.tools", "agent.tools")
            meant = OTHERWISE.get(name)
            advice = f"did you mean {meant}?" if meant else nearest(name, known)
            raise ConfigError(f"{where}: there is no tool {name}; {advice}")


def _check_searxng(settings: Settings, origins: Mapping[str, str]) -> None:
    if settings.web.searxng:
        _check_url(f"{origins.get('web.searxng', 'web.searxng')}: web.searxng", settings.web.searxng)


def _check_url(what: str, url: str) -> None:
    """A server's address, without the name and password that a log would show."""
    try:
        parts = urlsplit(url)
        port_is_number = parts.port is None or parts.port > 0
    except ValueError:
        port_is_number = False
        parts = urlsplit("")
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or not port_is_number
        or parts.query
        or parts.fragment
    ):
        raise ConfigError(
            f"{what}: expected http://HOST or https://HOST, perhaps with a port and a path, found {url!r}"
        )
    if parts.username is not None or parts.password is not None:
        raise ConfigError(f"{what}: expected no user and password in the address; name a credential instead")


def _embedding_chains(settings: Settings, origins: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    chains = {origins.get("embedding.chain", "embedding.chain"): settings.embedding.chain}
    return chains | {f"root {rule.path}: embeddings": rule.embeddings for rule in settings.rules if rule.embeddings}


def _check_chain(
    settings: Settings, where: str, chain: Sequence[str], key: str, model: Callable[[ProviderSettings], str]
) -> None:
    known = {provider.name: provider for provider in settings.providers}
    local = key == "embedding_model"
    for name, count in Counter(chain).items():
        if count > 1:
            raise ConfigError(f"{where}: expected each name once in the chain, found {name} {count} times")
        if name == LOCAL and local:
            continue
        if name not in known:
            choices = [*known, *([LOCAL] if local else [])]
            hint = nearest(name, choices) if choices else "there is no [[provider]]"
            raise ConfigError(f"{where}: no [[provider]] is named {name}; {hint}")
        if not model(known[name]):
            raise ConfigError(f"{where}: provider {name} has no {key}; set it, or take the provider out of the chain")
