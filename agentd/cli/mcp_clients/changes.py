"""A change of one client's configuration: worked out and checked in memory, shown, then written."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, NamedTuple

from agentd.cli.mcp_clients import files
from agentd.cli.mcp_clients.formats import value_at, without
from agentd.cli.mcp_clients.receipts import splice, undone
from agentd.client import AgentdClientError

if TYPE_CHECKING:
    from agentd.cli.mcp_clients.clients import McpClient
    from agentd.cli.mcp_clients.formats import Entry
    from agentd.cli.mcp_clients.receipts import Receipts, Splice


class Change(NamedTuple):
    """What becomes of a file: ``before`` is None where there is none, ``after`` where none is to be left. ``splices``
    are the receipts that stand once it is written.
    """

    client: McpClient
    path: str
    before: str | None
    after: str | None
    splices: list[Splice]

    @property
    def is_needed(self) -> bool:
        """Whether it changes anything."""
        return self.before != self.after

    def diff(self) -> list[str]:
        """The change as lines of a unified diff."""
        old, new = (text.splitlines() if text else [] for text in (self.before, self.after))
        one, other = ("/dev/null" if text is None else self.path for text in (self.before, self.after))
        return list(difflib.unified_diff(old, new, one, other, n=2, lineterm=""))

    def write(self, receipts: Receipts) -> None:
        """Make the change.

        Raises:
            AgentdClientError: ``changed_meanwhile``: the file is not what was shown; ``cannot_write``.
        """
        if files.read(self.path) != self.before:
            raise AgentdClientError("changed_meanwhile", f"{self.path} was changed meanwhile. Run it again.")
        if self.after is None:
            files.delete(self.path, receipts.of(self.path)[0]["made"] or [])
        else:
            made = files.write(self.path, self.after)
            if self.before is None:
                self.splices[-1]["made"] = made
        receipts.keep(self.path, self.splices)


def installing(client: McpClient, path: str, entry: Entry, receipts: Receipts) -> Change:
    """The change that gives a file our entry.

    Raises:
        AgentdClientError: ``broken_config``, ``cannot_edit``, ``cannot_read``.
    """
    before = files.read(path)
    there = value_at(loaded(client, path, before or ""), client.keys)
    try:
        after = client.format.put(before or "", client.keys, entry)
    except ValueError as error:
        raise unable(client, path, entry, str(error)) from None
    found = read_again(client, after)
    if not isinstance(found, dict) or any(found.get(key) != value for key, value in entry.items()):
        raise unable(client, path, entry, "it is written in a way that cannot be changed line by line")
    if not keeps_the_rest(client, before or "", after):
        raise unable(client, path, entry, "the rest of it would not stay as it is")
    if after == before:
        return Change(client, path, before, before, receipts.of(path))
    known = receipts.of(path) if there is not None else []
    return Change(client, path, before, after, [*known, splice(before, after)])


def uninstalling(client: McpClient, path: str, receipts: Receipts) -> Change:
    """The change that takes the entry away: back to what was there before, else the entry alone.

    Raises:
        AgentdClientError: ``broken_config``, ``cannot_edit``, ``cannot_read``.
    """
    before, known = files.read(path), receipts.of(path)
    if before is None or value_at(loaded(client, path, before), client.keys) is None:
        return Change(client, path, before, before, known)
    after = undone(before, known) if known else None
    if after is None or not keeps_the_rest(client, before, after):
        after = client.format.remove(before, client.keys)
        if read_again(client, after) is not None or not keeps_the_rest(client, before, after):
            message = f'Cannot take the entry "{client.keys[-1]}" out of {path} line by line. Delete it by hand.'
            raise AgentdClientError("cannot_edit", message)
    is_ours = bool(known) and known[0]["made"] is not None
    nothing_left = is_ours and not without(client.format.load(after), client.keys)
    return Change(client, path, before, None if nothing_left else after, [])


def loaded(client: McpClient, path: str, text: str) -> dict[str, object]:
    """What a file says.

    Raises:
        AgentdClientError: ``broken_config``.
    """
    try:
        return client.format.load(text)
    except ValueError as error:
        message = f"{path} cannot be read: {error}. It stays as it is; mend it, then run this again."
        raise AgentdClientError("broken_config", message) from None


def read_again(client: McpClient, text: str) -> object:
    """The entry that a changed text holds; None for none, and where the text cannot be read."""
    try:
        return value_at(client.format.load(text), client.keys)
    except ValueError:
        return None


def keeps_the_rest(client: McpClient, before: str, after: str) -> bool:
    """Whether two texts say the same but for the entry, and for what is empty without it."""
    try:
        old, new = (without(client.format.load(text), client.keys) for text in (before, after))
    except ValueError:
        return False
    return old == new


def unable(client: McpClient, path: str, entry: Entry, why: str) -> AgentdClientError:
    """The error for a file that a person has to change."""
    snippet = client.format.snippet(client.keys, entry)
    return AgentdClientError("cannot_edit", f"Cannot change {path}: {why}. Put this into it by hand:\n{snippet}")
