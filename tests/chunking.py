"""Text to chunks, as the tests of single languages need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.kernels.parse import read_text

if TYPE_CHECKING:
    from agentd.domain import Chunk
    from agentd.kernels.chunks import Source


def chunk_text(source: Source, language: str, chunk_chars: int) -> tuple[list[Chunk], list[str]]:
    """Chunks of a decoded file, and notes on it."""
    text = read_text(source, "file", language, chunk_chars)
    return text.chunks, text.notes
