"""One call of a tool: what it may ask the daemon, which roots it is about, and how much it may say."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from agentd.mcp.project import holds, resolved
from agentd.mcp.tokens import Room

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from agentd.mcp.arguments import Arguments
    from agentd.mcp.connection import Daemon
    from agentd.mcp.progress import Progress
    from agentd.protocol import Event, RootInfo

OWN = ("root", "max_tokens")
"""Arguments of every tool that the daemon does not know."""


class Scope:
    """The roots that a call is about.

    ``roots`` are their paths, none for all; ``known`` are all there are. ``folders`` are those in which the client
    works. ``notes`` say what the client should know about it.
    """

    def __init__(
        self, roots: Sequence[str], known: Sequence[RootInfo], folders: Sequence[str], notes: Sequence[str] = ()
    ) -> None:
        self.roots = list(roots)
        self.known = known
        self.notes = list(notes)
        self._folders = list(folders)

    def path(self, path: str) -> str:
        """``path`` as an absolute one: a relative one starts at a root, or where the client works, if it is there."""
        places = [*self.roots, *self._folders, *(root["path"] for root in self.known if not self.roots)]
        candidates = [os.path.normpath(os.path.join(place, path)) for place in places]
        there = [candidate for candidate in candidates if os.path.lexists(candidate)]
        return next(iter([*there, *candidates]), path)

    def building(self) -> list[str]:
        """How far the index of these roots is, where that matters."""
        roots = [root for root in self.known if not self.roots or root["path"] in self.roots]
        notes = [
            f"{root['path']} is missing: what was in it cannot be found" for root in roots if root["state"] == "missing"
        ]
        pending, files = (sum(root[what] for root in roots) for what in ("pending", "documents"))
        unread = f"{files - pending:,} of {files:,} files" + ("" if pending else " found so far")
        if pending or any(root["state"] == "scanning" for root in roots):
            return [*notes, f"index is still building: {unread}; results may be incomplete"]
        waiting, chunks = (sum(root[what] for root in roots) for what in ("vectors_pending", "chunks"))
        if waiting:
            notes.append(f"{waiting:,} of {chunks:,} passages are found by their words only until they are embedded")
        return notes


class Call:
    """What a tool has to work with."""

    def __init__(self, daemon: Daemon, scope: Scope, progress: Progress, arguments: Arguments) -> None:
        self.scope = scope
        self.progress = progress
        self.room = Room(arguments.max_tokens)
        self._daemon = daemon
        self._given: dict[str, Any] = msgspec.to_builtins(arguments)

    async def ask(
        self, method: str, hear: Callable[[Event], Awaitable[None]] | None = None, /, **changes: object
    ) -> Any:
        """Call a method of the daemon with the arguments that were given, and ``changes``; UNSET takes one away."""
        params = {name: value for name, value in self._given.items() if name not in OWN}
        if self.scope.roots:
            params["roots"] = self.scope.roots
        params = {name: value for name, value in (params | changes).items() if value is not UNSET}
        return await self._daemon.call(method, params, hear)

    def notes(self, answer: Mapping[str, Any]) -> list[str]:
        """What is to be said about an answer of the daemon: of the scope, of the answer, and what found no room.

        How far the index is comes before the daemon's own words about it, which name no numbers.
        """
        said = [*answer.get("degraded", ()), *answer.get("skipped", ()), *answer.get("cut", ())]
        building = [] if answer.get("complete", True) else self.scope.building()
        return [*self.scope.notes, *building, *said, *self.room.notes]


def named_root(name: str, known: Sequence[RootInfo]) -> list[str]:
    """The root that a call names: by its path, or a path below it; none for ``all``, and for what there is not, so that
    the daemon says what is wrong.
    """
    if name == "all":
        return []
    folder = resolved(name)
    holding = [root["path"] for root in known if holds(root["path"], folder)]
    return [max(holding, key=len)] if holding else [folder]
