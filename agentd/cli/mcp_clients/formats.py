"""What a format of configuration files offers: :mod:`.json_text` and :mod:`.toml_text` are the two that there are."""

from __future__ import annotations

from typing import Any, Protocol

Keys = tuple[str, ...]
"""The way from the top of a document to one entry in it, such as ``("mcpServers", "agentd")``."""

Entry = dict[str, Any]


class Format(Protocol):
    """Changes text as text: what it is not asked about stays as it is, byte for byte, comments too.

    What cannot be changed like this comes back unchanged or wrong: the caller reads the result again and compares.
    """

    def load(self, text: str) -> dict[str, Any]:
        """What the text says; an empty one says nothing.

        Raises:
            ValueError: it is not of this format, with the line.
        """

    def put(self, text: str, keys: Keys, entry: Entry) -> str:
        """The text with ``entry`` at ``keys``. What an entry of a command that is there says beyond it stays.

        Raises:
            ValueError: something else stands on the way there.
        """

    def remove(self, text: str, keys: Keys) -> str:
        """The text without the entry at ``keys``."""

    def snippet(self, keys: Keys, entry: Entry) -> str:
        """The entry alone, for a person to paste."""


def value_at(document: object, keys: Keys) -> object:
    """What a document says at ``keys``; None for nothing."""
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def without(document: dict[str, Any], keys: Keys) -> dict[str, Any]:
    """A document without what stands at ``keys``, nor what that leaves empty: a copy as far as they lead."""
    key, *rest = keys
    copy = dict(document)
    if not rest:
        copy.pop(key, None)
    elif isinstance(copy.get(key), dict):
        copy[key] = without(copy[key], tuple(rest))
        if not copy[key]:
            del copy[key]
    return copy


def starts_a_command(entry: object) -> bool:
    """Whether an entry is of a server that the client starts; one with an address has nothing that could stay."""
    return isinstance(entry, dict) and "command" in entry
