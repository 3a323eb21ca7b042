"""From the configuration to embedding chains: who is a member, which of them a root may use, and what a search sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.config.settings import LOCAL
from agentd.domain import Space
from agentd.indexing.chains import Chains
from agentd.indexing.members import Load, Member
from agentd.indexing.spaces import Spaces
from agentd.providers.gate import is_loopback
from agentd.providers.probe import server_key
from agentd.retrieval.meaning import Scale, SearchedSpace

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from agentd.compute.pool import Pool
    from agentd.config.settings import ProviderSettings, Settings
    from agentd.daemon.stores import Stores, Threads
    from agentd.indexing.index import Index
    from agentd.indexing.signal import Signal
    from agentd.observability.metrics import Metrics
    from agentd.providers.build import Providers

LOCAL_CHARS = 4800
"""A batch is about 1,000 tokens, some 90 ms on one core: the longest that other work of the lane waits for it."""
LOCAL_TEXTS = 32
WINDOW = 512
"""Chunks sorted by length at a time: enough for even batches, few enough that an edit is next."""
LARGEST_WINDOW = 4096
"""Chunks held for a server, some 8 MB of text, however many batches it takes at once."""
CHARS_A_TOKEN = 3


async def make_members(
    settings: Settings, stores: Stores, providers: Providers | None, pool: Pool
) -> dict[str, Member]:
    """The models that any chain names and that can be asked at all, by name; none where vectors are switched off."""
    if not settings.embedding.enabled:
        return {}
    known = [Space.of_key(key) for key in await stores.catalogue.spaces.in_use()]
    members: dict[str, Member] = {}
    for name in named(settings):
        if name == LOCAL and stores.local is not None:
            members[name] = Member(name, stores.local, lambda: local_load(pool), stores.local.space, on_server=False)
        elif name != LOCAL and providers is not None:
            members[name] = server_member(settings.provider(name), providers, known)
    return members


async def open_chains(
    settings: Callable[[], Settings],
    stores: Stores,
    providers: Providers | None,
    pool: Pool,
    threads: Threads,
    progress: Signal,
    gate: asyncio.Event,
    metrics: Metrics,
) -> Chains | None:
    """The chains of the settings in force with their views open; embedding waits for ``gate``. None without a model."""
    members = await make_members(settings(), stores, providers, pool)
    if not members:
        return None
    spaces = Spaces(stores.vectors, stores.catalogue, stores.cache, threads.vector, progress, gate, metrics)
    chains = Chains(stores.catalogue, members, spaces, ChainRule(settings, members), progress)
    await chains.open()
    return chains


def named(settings: Settings) -> list[str]:
    """Every name in any chain, once."""
    chains = (settings.embedding.chain, *(rule.embeddings for rule in settings.rules))
    return list(dict.fromkeys(name for chain in chains for name in chain))


def server_member(provider: ProviderSettings, providers: Providers, known: Iterable[Space]) -> Member:
    """A model on a server. Until it was probed it is taken to be the one that this server had before."""
    before = [
        space for space in known if (space.provider, space.model) == (server_key(provider), provider.embedding_model)
    ]
    load = server_load(provider)
    model = providers.embeddings[provider.name]
    return Member(provider.name, model, lambda: load, before[0] if len(before) == 1 else None)


def local_load(pool: Pool) -> Load:
    """Two batches more than the lane has workers keep its queue from running dry between batches."""
    return Load(LOCAL_CHARS, LOCAL_TEXTS, pool.bulk_workers + 2, WINDOW, one_root=False)


def server_load(provider: ProviderSettings) -> Load:
    """A batch is one request; one batch more than the server takes is ready when one has been answered."""
    at_once = provider.parallel + 1
    window = max(WINDOW, min(LARGEST_WINDOW, 2 * at_once * provider.batch_texts))
    return Load(provider.batch_tokens * CHARS_A_TOKEN, provider.batch_texts, at_once, window, one_root=True)


class ChainRule:
    """Names the models that a root may use by the configuration in force, best first. A server on another machine is in
    the chain of a root only where the root lets text out.
    """

    def __init__(self, settings: Callable[[], Settings], members: Mapping[str, Member]) -> None:
        self._settings = settings
        self._members = members

    def __call__(self, root: str) -> tuple[str, ...]:
        """The names, for the root at this path."""
        settings = self._settings()
        rule = settings.rule(root)
        may_leave = "embeddings" in rule.egress
        return tuple(
            name
            for name in rule.embeddings or settings.embedding.chain
            if name in self._members and (name == LOCAL or may_leave or is_loopback(settings.provider(name).base_url))
        )


class SearchedSpaces:
    """What a search by meaning goes through for some roots."""

    def __init__(self, chains: Chains, index: Index) -> None:
        self._chains = chains
        self._index = index

    def __call__(self, root_ids: Sequence[int]) -> Iterator[SearchedSpace]:
        """The spaces that hold vectors of these roots, none meaning all; those left out whose vectors are lost."""
        spaces = self._chains.spaces
        paths = {keeper.root.id: path for path, keeper in self._index.keepers.items()}
        asked = [root_id for root_id in root_ids or paths if root_id in paths]
        for key, service in spaces.running.items():
            inside = tuple(
                root for root in asked if any(s.space == key and not s.lost for s in spaces.chains.get(root, ()))
            )
            if not inside or not service.vectors.view.count:
                continue
            member = service.member
            yield SearchedSpace(
                member.name,
                service.vectors.space,
                member.model,
                service.vectors.view,
                None if len(inside) == len(paths) else inside,
                frozenset(paths[root] for root in inside),
                "" if member.usable.is_set() else member.reason,
                Scale(*self._chains.scales.get(key, ())),
            )
