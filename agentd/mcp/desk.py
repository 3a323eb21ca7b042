"""Where calls begin: which folders the client works in, which roots these mean, and whether one is to be added."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from mcp.shared.exceptions import MCPError
from mcp_types import ListRootsRequest, ListRootsResult
from pydantic import ValidationError

from agentd.mcp.call import Call, Scope, named_root
from agentd.mcp.progress import Progress
from agentd.mcp.project import folder_of, git_top, resolved, roots_around
from agentd.wire import AgentdClientError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mcp.server.session import ServerSession

    from agentd.mcp.arguments import Arguments
    from agentd.mcp.connection import Daemon
    from agentd.protocol import RootInfo

CLIENT_SECONDS = 2.0
"""For a client to say where it works."""
NEW_MILLISECONDS = 2000
"""For the files of a new root to be read."""
RECENT_SECONDS = 2.0
"""Roots come and go by a person's hand, and calls by the second: to ask each time would double what a call costs."""
STARTING = "waiting for agentd"


class Desk:
    """One client's.

    Args:
        daemon: the way to it.
        roots: folders that all calls are about, unless they name another; none leaves it to where the client works.
        add: whether a project of git that is not indexed is added.
    """

    def __init__(self, daemon: Daemon, roots: Sequence[str] = (), *, add: bool = False) -> None:
        self.daemon = daemon
        self._roots = roots
        self._add = add
        self._folders: list[str] | None = None
        self._known: list[RootInfo] = []
        self._known_until = 0.0
        self._added: set[str] = set()  # a person who removes one does not want it back

    def forget_folders(self) -> None:
        """The client works elsewhere now: ask it again."""
        self._folders = None

    def forget_roots(self) -> bool:
        """Ask for the roots again; whether that may make a difference."""
        remembered = time.monotonic() < self._known_until
        self._known_until = 0.0
        return remembered

    async def call(self, session: ServerSession, arguments: Arguments) -> Call:
        """What a tool needs for one call.

        Raises:
            AgentdClientError: the daemon cannot be reached.
        """
        progress = Progress(session.report_progress)
        if not self.daemon.connected:
            await progress.say(STARTING)
        if self._folders is None:
            self._folders = await folders_of(session)
        root = getattr(arguments, "root", None)
        return Call(self.daemon, await self.scope(root if isinstance(root, str) else ""), progress, arguments)

    async def scope(self, root: str = "") -> Scope:
        """The roots that ``root`` names or, where it names none, those that the client's folders mean."""
        known = await self._recent()
        folders = list(self._roots) or self._folders or []
        if root:
            return Scope(named_root(root, known), known, folders)
        added = await self._add_missing(known, folders) if self._add else []
        if added or any(map(is_new, around(folders, known))):
            await self._first_look()
            known = await self._recent()
        found = roots_around(folders, [each["path"] for each in known])
        return Scope(found or self._roots, known, folders, added or hints(found, known, folders))

    async def _recent(self) -> list[RootInfo]:
        """All roots; those that are current are not asked about again for a moment."""
        if time.monotonic() < self._known_until:
            return self._known
        self._known = await self.known()
        if all(root["state"] == "current" for root in self._known):
            self._known_until = time.monotonic() + RECENT_SECONDS
        return self._known

    async def known(self) -> list[RootInfo]:
        """All roots, and how far the index of each is."""
        listed: dict[str, Any] = await self.daemon.call("roots.list", {})
        return listed["roots"]  # type: ignore[no-any-return]

    async def _add_missing(self, known: Sequence[RootInfo], folders: Sequence[str]) -> list[str]:
        """Add the project around the first folder that no root covers, once; what to say about it, if anything."""
        paths = [each["path"] for each in known]
        missing = next((folder for folder in folders if not roots_around([folder], paths)), None)
        top = git_top(missing) if missing else None
        if top is None or top in self._added:
            return []
        await self.daemon.call("roots.add", {"path": top})
        self._added.add(top)
        return [f"{top} was not indexed: it was added just now, and stays indexed until `agentctl remove {top}`"]

    async def _first_look(self) -> None:
        """A small project is read in a moment, so that already this call finds something in it, whoever added it."""
        self.forget_roots()
        try:
            await self.daemon.call("index.wait", {"for": "keyword", "timeout_ms": NEW_MILLISECONDS})
        except AgentdClientError as error:
            if error.kind != "deadline":
                raise


def is_new(root: RootInfo) -> bool:
    """Whether nothing of a root has been read yet, but soon will be."""
    return root["state"] not in {"current", "missing"} and root["documents"] == root["pending"]


def around(folders: Sequence[str], known: Sequence[RootInfo]) -> list[RootInfo]:
    """The roots of ``known`` that ``folders`` mean."""
    paths = roots_around(folders, [each["path"] for each in known])
    return [root for root in known if root["path"] in paths]


def hints(found: Sequence[str], known: Sequence[RootInfo], folders: Sequence[str]) -> list[str]:
    """What to say where nothing that is indexed covers the folders."""
    if found or not folders:
        return []
    instead = "all indexed folders were searched" if known else "nothing is indexed yet"
    return [f"{folders[0]} is not indexed, {instead}; to index it: agentctl add {git_top(folders[0]) or 'DIR'}"]


async def folders_of(session: ServerSession) -> list[str]:
    """Where the client works: its roots, where it tells them, else where it started this process."""
    return await folders_told(session) or working_directory()


async def folders_told(session: ServerSession) -> list[str]:
    """The client's roots; none where it has none, or does not answer in time."""
    capabilities = session.client_capabilities
    if capabilities is None or capabilities.roots is None or not session.can_send_request:
        return []
    try:
        told = await session.send_request(
            ListRootsRequest(), ListRootsResult, request_read_timeout_seconds=CLIENT_SECONDS
        )
    except (MCPError, ValidationError):
        return []
    return folders_named(str(root.uri) for root in told.roots)


def folders_named(uris: Iterable[str]) -> list[str]:
    """The folders that URIs name, links followed, as the daemon names roots."""
    return [resolved(folder) for uri in uris if (folder := folder_of(uri))]


def working_directory() -> list[str]:
    """Where this process was started, unless that has gone."""
    try:
        return [os.path.realpath(os.getcwd())]
    except FileNotFoundError:
        return []
