"""What a search finds, on its way to the answer: chunks that were ranked and compared with the disk, not yet packed."""

from __future__ import annotations

from msgspec import Struct

from agentd.retrieval.results import Explanation, Hit


class Passage(Struct, frozen=True):
    """A hit and where it lies in its file: packing needs both. ``chunk_ids`` are those whose text it holds, in order.

    Bytes are those of the file, half open.
    """

    hit: Hit
    chunk_ids: tuple[int, ...]
    document_id: int
    start_byte: int
    end_byte: int


class Found(Struct, frozen=True):
    """What a search found, best first, one passage a chunk, and in words what was not as it should be.

    ``total`` counts what the retrievers named, ``passages`` holds as many of them as the answer may need. Where it was
    asked for, ``explanation`` says what was made of the query, ``explanations`` the same of each of several.
    """

    passages: list[Passage]
    total: int
    generation: int
    complete: bool
    degraded: list[str]
    skipped: list[str]
    cut: list[str]
    relevance: float | None = None
    explanation: Explanation | None = None
    explanations: list[Explanation | None] = []
