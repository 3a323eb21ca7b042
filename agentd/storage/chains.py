"""Ways from one symbol to another along calls: breadth first from both ends, level by level, within bounds."""

from __future__ import annotations

import json
import time
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from agentd.storage.codes import CALLABLE, CALLS, CERTAINTIES, CONSTRUCTORS, EDGE_KINDS, EXACT, INHERITS, NAME, TYPES
from agentd.storage.rows import Chains, ChainStep
from agentd.storage.symbols import by_id

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

MAX_NODES = 20_000
MAX_LINKS = 20_000
"""Edges of each sort that one step of the search follows."""
MAX_SECONDS = 0.25
NAMESAKES = 5
"""Definitions of one name that a call by name may lead to; beyond that it says nothing about the way."""

CONSTRUCTOR = f"(m.name IN {CONSTRUCTORS} OR m.name = c.name)"


class Link(NamedTuple):
    """An edge between two symbols; kind and certainty are codes."""

    source: int
    target: int
    line: int
    kind: int
    certainty: int


# Calling a class runs its constructor: the way goes on there.
FORWARD = f"""
SELECT e.source, e.target_symbol_id, e.line, e.kind, e.found FROM json_each(?1) j CROSS JOIN symbol s ON s.id = j.value
    JOIN edge e ON e.document_id = s.document_id AND e.source = s.id
    WHERE e.target_symbol_id IS NOT NULL AND e.kind IN ({CALLS}, ?2)
UNION ALL
SELECT c.id, m.id, m.start_line, {CALLS}, {EXACT} FROM json_each(?1) j CROSS JOIN symbol c ON c.id = j.value
    JOIN symbol m ON m.document_id = c.document_id AND m.parent = c.ordinal
    WHERE c.kind IN {TYPES} AND {CONSTRUCTOR}
LIMIT ?3
"""

BACKWARD = f"""
SELECT e.source, e.target_symbol_id, e.line, e.kind, e.found FROM json_each(?1) j
    CROSS JOIN edge e ON e.target_symbol_id = j.value WHERE e.source > 0 AND e.kind IN ({CALLS}, ?2)
UNION ALL
SELECT c.id, m.id, m.start_line, {CALLS}, {EXACT} FROM json_each(?1) j CROSS JOIN symbol m ON m.id = j.value
    JOIN symbol c ON c.document_id = m.document_id AND c.ordinal = m.parent
    WHERE c.kind IN {TYPES} AND {CONSTRUCTOR}
LIMIT ?3
"""

FORWARD_BY_NAME = f"""
SELECT s.id, t.id, e.line, e.kind, e.found FROM json_each(?1) j CROSS JOIN symbol s ON s.id = j.value
    JOIN edge e ON e.document_id = s.document_id AND e.source = s.id
    CROSS JOIN symbol t ON t.name = e.name COLLATE NOCASE AND t.name = e.name
    WHERE e.found = {NAME} AND e.kind IN ({CALLS}, ?2)
    AND t.root_id = s.root_id AND t.family = s.family AND t.kind IN {CALLABLE}
    AND (SELECT count(*) FROM (SELECT 1 FROM symbol o WHERE o.name = e.name COLLATE NOCASE AND o.name = e.name
        AND o.root_id = s.root_id LIMIT {NAMESAKES + 1})) <= {NAMESAKES}
LIMIT ?3
"""

# What is called on a base may run what a derived class has in its place. Base constructors run nothing of it.
OVERRIDES = f"""
SELECT m.id, o.id, o.start_line, {INHERITS}, e.found FROM json_each(?1) j CROSS JOIN symbol m ON m.id = j.value
    JOIN symbol c ON c.document_id = m.document_id AND c.ordinal = m.parent
    JOIN edge e ON e.target_symbol_id = c.id AND e.kind = {INHERITS}
    JOIN symbol d ON d.id = e.source
    CROSS JOIN symbol o ON o.name = m.name COLLATE NOCASE AND o.name = m.name
        AND o.document_id = d.document_id AND o.parent = d.ordinal
    WHERE c.kind IN {TYPES} AND NOT {CONSTRUCTOR}
LIMIT ?3
"""

TRIES = ((), (OVERRIDES,), (OVERRIDES, FORWARD_BY_NAME))
"""What else is followed, and forward alone, where nothing surer leads there."""


class _Search:
    """One end of the search. ``links`` are the edges by which each symbol was met first, all at the same distance."""

    def __init__(self, start: Iterable[int]) -> None:
        self.links: dict[int, list[Link]] = {symbol_id: [] for symbol_id in start}
        self.frontier = list(self.links)

    def advance(self, links: Iterable[Link], *, forward: bool) -> None:
        """Go one level on. Several edges from one symbol to another are one step, the first."""
        met: dict[int, dict[int, Link]] = {}
        for link in links:
            here, end = (link.source, link.target) if forward else (link.target, link.source)
            if end not in self.links:
                met.setdefault(end, {}).setdefault(here, link)
        self.links.update((end, list(steps.values())) for end, steps in met.items())
        self.frontier = list(met)


def find_chains(
    connection: sqlite3.Connection,
    source_ids: Sequence[int],
    target_ids: Sequence[int],
    max_depth: int,
    limit: int,
    *,
    inherits: bool,
) -> Chains:
    """The shortest ways; see ``Graph.chain``."""
    if common := sorted(set(source_ids) & set(target_ids)):
        symbols = by_id(connection, common[:limit])
        return Chains([[ChainStep(symbol, None, None, None)] for symbol in symbols.values()])
    until = time.monotonic() + MAX_SECONDS
    also = INHERITS if inherits else CALLS
    paths: list[list[Link]] = []
    bounded = ""
    for more in TRIES:
        if not (paths or bounded):
            walk = _Walk(connection, until, also, more)
            paths = walk.between(source_ids, target_ids, max_depth, limit)
            bounded = walk.bounded
    return Chains(_steps(connection, paths), bounded)


class _Walk:
    """The search from both ends, and what stopped it."""

    def __init__(self, connection: sqlite3.Connection, until: float, also: int, more: Sequence[str]) -> None:
        self.bounded = ""
        self._cut = False  # a step had more edges than were followed
        self._connection = connection
        self._until = until
        self._also = also
        self._more = more

    def between(
        self, source_ids: Sequence[int], target_ids: Sequence[int], max_depth: int, limit: int
    ) -> list[list[Link]]:
        """At most ``limit`` shortest ways, as edges."""
        ahead, behind = _Search(source_ids), _Search(target_ids)
        for _ in range(max_depth):
            if not ahead.frontier or not behind.frontier or self._exhausted(len(ahead.links) + len(behind.links)):
                break
            # What is less sure can be followed forward alone: nobody lists who may mean a name.
            forward = bool(self._more) or len(ahead.frontier) <= len(behind.frontier)
            search = ahead if forward else behind
            search.advance(self._links(search.frontier, forward=forward), forward=forward)
            other = behind if forward else ahead
            if met := [symbol_id for symbol_id in search.frontier if symbol_id in other.links]:
                return list(islice(_joined(ahead, behind, met), limit))
        self.bounded = self.bounded or self._unseen(max_depth, ahead, behind)
        return []

    def _unseen(self, max_depth: int, ahead: _Search, behind: _Search) -> str:
        """Where ways may be that were not seen."""
        if self._cut:
            return f"only the first {MAX_LINKS:,} calls of a step were followed"
        if ahead.frontier and behind.frontier:
            return f"no way within {max_depth} calls; a longer one may exist"
        return ""

    def _links(self, frontier: Sequence[int], *, forward: bool) -> Iterator[Link]:
        ids = json.dumps(frontier)
        for sql in (FORWARD if forward else BACKWARD, *self._more):
            rows = self._connection.execute(sql, (ids, self._also, MAX_LINKS)).fetchall()
            self._cut = self._cut or len(rows) == MAX_LINKS
            yield from map(Link._make, rows)

    def _exhausted(self, nodes: int) -> bool:
        if nodes > MAX_NODES:
            self.bounded = f"the search was ended after {nodes} symbols"
        elif time.monotonic() > self._until:
            self.bounded = f"the search was ended after {MAX_SECONDS} seconds, at {nodes} symbols"
        return bool(self.bounded)


def _joined(ahead: _Search, behind: _Search, met: Sequence[int]) -> Iterator[list[Link]]:
    for middle in met:
        for first in _ways_to(ahead, middle, forward=True):
            for last in _ways_to(behind, middle, forward=False):
                yield first + last


def _ways_to(search: _Search, symbol_id: int, *, forward: bool) -> Iterator[list[Link]]:
    """The ways by which an end of the search met the symbol, in the order of the calls."""
    links = search.links[symbol_id]
    if not links:
        yield []
    for link in links:
        for way in _ways_to(search, link.source if forward else link.target, forward=forward):
            yield [*way, link] if forward else [link, *way]


def _steps(connection: sqlite3.Connection, paths: Sequence[list[Link]]) -> list[list[ChainStep]]:
    symbols = by_id(connection, sorted({end for path in paths for link in path for end in link[:2]}))
    found = []
    for path in paths:
        if not all(end in symbols for link in path for end in link[:2]):
            continue
        steps = [
            ChainStep(symbols[link.source], link.line, EDGE_KINDS[link.kind], CERTAINTIES[link.certainty])
            for link in path
        ]
        found.append([*steps, ChainStep(symbols[path[-1].target], None, None, None)])
    return found
