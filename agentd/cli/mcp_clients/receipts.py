"""What ``agentctl mcp install`` did to which file, so that ``uninstall`` gives back what was there, to the byte.

A client may rewrite its file at any time. So a receipt does not hold the file but what was put in the place of what,
and counts only as long as that stands there exactly once.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, TypedDict

from agentd.cli.mcp_clients import files
from agentd.config import paths

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "mcp.json"
FORMAT = 1


class Splice(TypedDict):
    """Whole lines ``new`` in the place of ``old``. ``made`` are the folders that were made for a file that was not
    there, and None for one that was.
    """

    old: str
    new: str
    made: list[str] | None


class Receipts:
    """The receipts of all files, the oldest of each first, in the state directory."""

    def __init__(self, directory: str | None = None) -> None:
        self._path = os.path.join(directory or paths.state_directory(), NAME)

    def of(self, path: str) -> list[Splice]:
        """What was done to a file; nothing where the receipts are lost."""
        found = self._read().get(os.path.realpath(path))
        return found if isinstance(found, list) else []

    def keep(self, path: str, splices: Sequence[Splice]) -> None:
        """Remember what was done to a file, in the place of what was remembered.

        Raises:
            AgentdClientError: ``cannot_write``.
        """
        known = self._read()
        if splices:
            known[os.path.realpath(path)] = list(splices)
        elif known.pop(os.path.realpath(path), None) is None:
            return
        if not known:
            files.delete(self._path, [])
            return
        files.write(self._path, json.dumps({"format": FORMAT, "files": known}), mode=0o600)

    def _read(self) -> dict[str, Any]:
        try:
            with open(self._path, encoding="utf-8") as file:
                known = json.load(file)
            return dict(known["files"]) if known["format"] == FORMAT else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}


def splice(before: str | None, after: str) -> Splice:
    """The lines in which two texts differ."""
    if before is None:
        return {"old": "", "new": after, "made": []}
    start = common(before, after)
    same = common(before[start:][::-1], after[start:][::-1])
    start = before.rfind("\n", 0, start) + 1
    if not all(text[: len(text) - same].endswith("\n") for text in (before, after)):
        line_end = before.find("\n", len(before) - same) + 1
        same = len(before) - line_end if line_end else 0
    return {"old": before[start : len(before) - same], "new": after[start : len(after) - same], "made": None}


def common(one: str, other: str) -> int:
    """Length of what two texts begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))


def undone(text: str, splices: Sequence[Splice]) -> str | None:
    """The text before all of ``splices``; None where one of them does not stand there once."""
    for each in reversed(splices):
        if text.count(each["new"]) != 1:
            return None
        text = text.replace(each["new"], each["old"])
    return text
