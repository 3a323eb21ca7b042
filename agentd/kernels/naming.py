"""What chunks of code are called: the heads above them, and the names and docs of what begins in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.kernels.chunks import named
from agentd.kernels.symbols import VALUES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentd.domain import Chunk, Symbol
    from agentd.kernels.captures import Definition
    from agentd.kernels.chunks import Source
    from agentd.kernels.code import Code

MAX_LABEL = 100
"""Characters of a scope's head; a generated signature can be any length."""

MAX_NAMES = 24
"""Names of one chunk: a table of constants must not drown the rest."""

MAX_DOC = 300
"""Characters of docs of one chunk."""


def label(definition: Definition, data: bytes) -> str:
    """A definition's head up to its name, as far as it stands on the same line: ``async def fetch``."""
    line = data.rfind(b"\n", 0, definition.name_start) + 1
    name = definition.name.encode()
    end = max(data.find(name, definition.name_start), definition.name_start) + len(name)
    start = max(line, definition.head)
    return " ".join(data[max(start, end - 4 * MAX_LABEL) : end].decode(errors="ignore").split())[-MAX_LABEL:]


def annotate(chunks: list[Chunk], source: Source, code: Code) -> list[Chunk]:
    """The chunks with ``names`` and ``doc``: each definition belongs to the chunk that holds its name."""
    if not code.symbols:
        return chunks
    places = source.bytes_of(code.data, [definition.name_start for definition in code.captures.definitions])
    starts = iter(sorted(zip(places, range(len(places)), strict=True)))
    place, ordinal = next(starts, (-1, -1))
    annotated = []
    for chunk in chunks:
        begun: list[Symbol] = []
        while 0 <= place < chunk.end_byte:
            begun.append(code.symbols[ordinal])
            place, ordinal = next(starts, (-1, -1))
        annotated.append(named(chunk, _names(begun), _docs(begun)) if begun else chunk)
    return annotated


def _names(begun: Sequence[Symbol]) -> str:
    """Qualified names in order; where there are too many, functions and classes are kept first."""
    if len(begun) > MAX_NAMES:
        order = sorted(range(len(begun)), key=lambda at: begun[at].kind in VALUES)  # stable
        begun = [begun[at] for at in sorted(order[:MAX_NAMES])]
    return " ".join(dict.fromkeys("".join(symbol.qualified.split()) for symbol in begun))


def _docs(begun: Iterable[Symbol]) -> str:
    docs = (symbol.doc.partition("\n\n")[0] for symbol in begun if symbol.doc and symbol.kind not in VALUES)
    return " ".join(" ".join(docs).split())[:MAX_DOC].rstrip()
