"""Text without a grammar of its own: cut at blank lines, then at shallow indentation."""

from __future__ import annotations

from agentd.kernels.chunks import Block, Source


def plain(source: Source) -> Block:
    """The whole file. Prose falls into paragraphs, data files into entries, code into its outer blocks."""
    return Block(0, len(source.lines))
