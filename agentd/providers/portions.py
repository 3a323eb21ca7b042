"""Texts as a server of embeddings takes them: no longer than its model reads, no more at once than it allows.

Tokens are estimated, three bytes of UTF-8 each: that is near for code and Chinese, and high for prose. The server's own
tokenizer is not ours to know, and where it disagrees it says so, and the text is cut further.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

BYTES_PER_TOKEN = 3
CUT_AGAIN = 0.75
"""What is left of a text that the server found too long all the same."""


class Piece(NamedTuple):
    """A text as it is sent, and whether something of it was cut off."""

    text: str
    cut: bool = False


def estimate(text: str) -> int:
    """Tokens of ``text``, at least 1."""
    return len(text.encode(errors="replace")) // BYTES_PER_TOKEN + 1


def fit(text: str, tokens: int) -> Piece:
    """``text`` without what is beyond ``tokens``. An empty one becomes a space, for servers refuse empty ones."""
    limit = BYTES_PER_TOKEN * tokens
    data = text.encode(errors="replace")
    if len(data) <= limit:
        return Piece(data.decode() or " ")
    return Piece(data[:limit].decode(errors="ignore") or " ", cut=True)


def shorten(piece: Piece) -> Piece:
    """A shorter beginning of it; at least one character."""
    return Piece(piece.text[: max(1, int(CUT_AGAIN * len(piece.text)))], cut=True)


def portions(costs: Sequence[int], most_texts: int, most_tokens: int) -> list[range]:
    """Consecutive indices of ``costs`` (tokens of each text): each portion within both limits, or a single text."""
    found: list[range] = []
    start = total = 0
    for index, cost in enumerate(costs):
        if index > start and (index - start == most_texts or total + cost > most_tokens):
            found.append(range(start, index))
            start, total = index, 0
        total += cost
    return [*found, range(start, len(costs))] if costs else []
