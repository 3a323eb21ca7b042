"""Signatures in place of text: what a passage defines, a line each, for a reader who wants the map and not the land."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.retrieval.passages import Passage
    from agentd.retrieval.results import Hit

INDENT = "  "


class Definition(Protocol):
    """A symbol, as far as an outline shows it."""

    @property
    def qualified(self) -> str:
        """Name within the file, with dots."""

    @property
    def signature(self) -> str:
        """Its head in one line."""

    @property
    def start_line(self) -> int:
        """Its first line, from 1."""

    @property
    def end_line(self) -> int:
        """Its last line."""


class Outlines(Protocol):
    """Where the symbols are known."""

    async def overlapping(self, spans: Sequence[tuple[int, int, int]]) -> Sequence[Sequence[Definition]]:
        """For each (document, first line, last line) the definitions that share a line with it, outer ones first."""


def outlined(passage: Passage, definitions: Sequence[Definition]) -> Passage:
    """The passage with ``line: signature`` of what begins in it for its text, indented by depth.

    ``definitions`` are those that share a line with it, outer ones first. Where none begins in it, the innermost is
    shown; where there are none at all, the headings, else the first line.
    """
    hit = passage.hit
    inside = [each for each in definitions if hit.start_line <= each.start_line <= hit.end_line]
    around = [each for each in definitions if each.start_line < hit.start_line <= each.end_line]
    shown = inside or around[-1:]
    text = "\n".join(signature_line(each) for each in shown) or f"{hit.start_line}: {heading(hit)}"
    return replace(passage, hit=replace(hit, text=text))


def signature_line(definition: Definition) -> str:
    """``line: signature``, indented by as many scopes as are around it."""
    depth = definition.qualified.count(".")
    return f"{definition.start_line}: {INDENT * depth}{definition.signature or definition.qualified}"


def heading(hit: Hit) -> str:
    """What a passage without definitions is about: its headings, else its first line."""
    return hit.context or hit.text.lstrip().split("\n", 1)[0].rstrip()
