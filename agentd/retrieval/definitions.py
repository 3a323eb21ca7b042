"""Two ways to find what a query names: definitions by name, files by path. Both are looked up, not searched for."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from agentd.domain import SymbolKind, name_parts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentd.domain import Filter
    from agentd.retrieval.analysis import Analysis
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.rows import NamedSymbol

Named = dict[int, float]
"""Chunk id -> how surely it is what the query names, above 0 and at most 1."""

MOST_NAMED = 200
"""Definitions of one name that are looked at: of those that thousands share, the most likely few hundred will do."""

SHORTEST_WORD = 4
FEW = 3
"""An ordinary word counts as a name where it has this many letters, and this few definitions bear it."""

WORD_STRENGTH = 0.3
OTHER_CASE = 0.5
OTHER_SCOPE = 0.6
"""What a definition is worth that has the name in other letters, or in another scope than the query says."""

LAST_TWO, LAST_ONE = 0.8, 0.5
"""What the file at the last two parts of a path is worth, or at its last, where none is at the whole path."""

MINOR = frozenset({SymbolKind.FIELD, SymbolKind.VARIABLE})
MINOR_STRENGTH = 0.7
"""What a field is worth, where a class or function of that name may be meant."""


class DefinitionFinder:
    """Finds the chunks in which what a query names is defined."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    async def find(self, analysis: Analysis, only: Filter) -> Named:
        """The definitions of the names in the query, and of the words that turn out to be names."""
        wanted = {".".join(name_parts(name)) for name in analysis.names}
        words = {word for word in analysis.words if len(word) >= SHORTEST_WORD}
        symbols = self._catalogue.symbols
        named = await symbols.named(sorted(wanted), only, MOST_NAMED) if wanted else []
        rare = await symbols.rare(sorted(words), only, FEW) if words else []
        found = {symbol.id: symbol for symbol in (*named, *rare)}  # a word may be the last part of a name, too
        strengths = strength_of(analysis, found.values())
        if not strengths:
            return {}
        chunks = await symbols.chunks_of([found[symbol_id] for symbol_id in strengths])
        defined: Named = defaultdict(float)
        for symbol_id, chunk_id in chunks.items():
            defined[chunk_id] = max(defined[chunk_id], strengths[symbol_id])
        return dict(defined)


def strength_of(analysis: Analysis, symbols: Iterable[NamedSymbol]) -> dict[int, float]:
    """How surely each of ``symbols`` is meant; those that are not are left out."""
    symbols = list(symbols)
    bearers = Counter(symbol.name for symbol in symbols)
    names = [name_parts(name) for name in analysis.names]
    words = {word for word in analysis.words if len(word) >= SHORTEST_WORD and bearers[word] <= FEW}
    strengths: dict[int, float] = {}
    for symbol in symbols:
        strength = max((_by_name(symbol, name) for name in names), default=0.0)
        if symbol.name in words:
            strength = max(strength, WORD_STRENGTH)
        if strength:
            strengths[symbol.id] = strength * (MINOR_STRENGTH if symbol.kind in MINOR else 1.0)
    return strengths


def _by_name(symbol: NamedSymbol, name: list[str]) -> float:
    if symbol.name.lower() != name[-1].lower():
        return 0.0
    case = 1.0 if symbol.name == name[-1] else OTHER_CASE
    # The first parts of the longer one may be scopes that the query leaves out, or its module, which no symbol knows.
    # In any case of letters: ``session.get`` speaks of an instance.
    qualified = symbol.qualified.lower().split(".")
    common = min(len(qualified), len(name))
    inside = qualified[-common:] == [part.lower() for part in name[-common:]]
    return case * (1.0 if inside else OTHER_SCOPE)


class PathFinder:
    """Finds the files that a query names, by the end of their paths."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    async def find(self, analysis: Analysis, only: Filter) -> Named:
        """The first chunks of the files at the paths in the query."""
        if not analysis.paths:
            return {}
        found = await asyncio.gather(*(self._at(path, only) for path in analysis.paths))
        return {chunk_id: strength for each in found for chunk_id, strength in each.items()}

    async def _at(self, path: str, only: Filter) -> Named:
        for tail, trust in tails(path):
            if found := await self._catalogue.passages.at_path(tail, only):
                return {chunk_id: strength * trust for chunk_id, strength in found.items()}
        return {}


def tails(path: str) -> list[tuple[str, float]]:
    """A path, and the ends of it that may be what is meant where nothing is at it, with how sure that is.

    Absolute paths, such as a traceback's, begin above the root or on another machine.

    >>> tails("/home/ada/engine/retry.py")
    [('/home/ada/engine/retry.py', 1.0), ('engine/retry.py', 0.8), ('retry.py', 0.5)]
    """
    segments = path.replace("\\", "/").strip("/").split("/")
    shorter = [("/".join(segments[-2:]), LAST_TWO)] if len(segments) > 2 else []
    if len(segments) > 1 and "." in segments[-1]:
        shorter.append((segments[-1], LAST_ONE))
    return [(path, 1.0), *shorter]


class Names(NamedTuple):
    """What a query names: definitions and files."""

    definitions: Named
    paths: Named


class Namer:
    """Finds what a query names, of both kinds."""

    def __init__(self, definitions: DefinitionFinder, paths: PathFinder) -> None:
        self._definitions = definitions
        self._paths = paths

    async def find(self, analysis: Analysis, only: Filter) -> Names:
        """Both, among the documents that ``only`` lets through."""
        return Names(*await asyncio.gather(self._definitions.find(analysis, only), self._paths.find(analysis, only)))
