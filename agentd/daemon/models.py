"""The models as ``status`` shows them: those of the embedding chains with their spaces, and the servers with how they
fare.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from agentd.indexing.index import Index
    from agentd.indexing.members import Member
    from agentd.indexing.spaces import SpaceService
    from agentd.protocol import ProviderInfo, SpaceInfo
    from agentd.providers.build import Providers
    from agentd.providers.contracts import ProviderStatus
    from agentd.storage.rows import RootProgress


class Models:
    """``providers`` is None as long as no server is configured."""

    def __init__(self, index: Index) -> None:
        self.providers: Providers | None = None
        self._index = index

    def running(self) -> list[SpaceService]:
        """The spaces that are kept."""
        chains = self._index.chains
        return list(chains.spaces.running.values()) if chains else []

    def spaces(self, progress: Iterable[RootProgress]) -> list[SpaceInfo]:
        """Every model of every chain, in the order of the chains, with what it has done and is to do."""
        chains = self._index.chains
        if chains is None:
            return []
        queued: Counter[str] = Counter()
        for root in progress:
            queued.update(root.queued)
        return [
            space_info(position, member, chains.spaces.running, queued)
            for position, member in enumerate(chains.members.values())
        ]

    def servers(self) -> list[ProviderInfo]:
        """Every server of the configuration, in its order."""
        return [provider_info(each) for each in self.providers.statuses()] if self.providers else []

    def findings(self) -> Iterator[tuple[str, str]]:
        """Servers of the chat chain that are left alone; those of embedding chains are told by these."""
        for each in self.providers.silent_chats() if self.providers else ():
            yield "chat_away", f"{each.name} is not asked to write answers: {each.state} ({each.reason})"


def space_info(
    position: int, member: Member, running: Mapping[str, SpaceService], queued: Mapping[str, int]
) -> SpaceInfo:
    """One model and its space, as far as it is known."""
    key = member.space.key if member.space is not None else None
    service = running.get(key) if key else None
    return {
        "space": key,
        "provider": member.name,
        "position": position,
        "vectors": service.vectors.view.count if service else 0,
        "pending": queued.get(key, 0) if key else 0,
        "state": member.state,
        "reason": member.reason,
    }


def provider_info(status: ProviderStatus) -> ProviderInfo:
    """One server."""
    return {
        "name": status.name,
        "kind": status.kind,
        "purposes": list(status.purposes),
        "state": status.state,
        "reason": status.reason,
        "last_failure": status.last_failure,
        "last_failure_at": status.last_failure_at,
        "counts": dict(status.counts),
    }
