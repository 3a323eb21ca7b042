"""A search filter as SQL over ``document d``, and the part of it that SQL cannot say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agentd.storage.globs import coarse, glob_to_regex

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from agentd.domain import Filter


class DocumentFilter:
    """Documents that a search may find, or with ``skipped`` those that none can.

    ``select`` lets through all that pass; where not ``exact``, ``matches(path)`` has the last word.
    """

    def __init__(self, restriction: Filter, *, skipped: bool) -> None:
        self._conditions = ["d.state = 'skipped'" if skipped else "d.state <> 'skipped'"]
        self._parameters: list[str | int] = []
        self._restrict("d.root_id", restriction.roots)
        self._restrict("d.language", restriction.languages)
        self._restrict("d.kind", [kind.value for kind in restriction.kinds])
        self._prefilter(restriction.paths)
        self._patterns = [re.compile(glob_to_regex(pattern)) for pattern in restriction.paths]

    @property
    def exact(self) -> bool:
        """Whether the SQL alone says it all."""
        return not self._patterns

    def select(
        self, connection: sqlite3.Connection, sql: str, parameters: Sequence[str | int] = (), order: str = "d.id"
    ) -> sqlite3.Cursor:
        """Run ``sql``, which selects from ``document d`` and ends with a WHERE clause, narrowed and in ``order``."""
        narrowed, bound = self.narrow(sql, parameters)
        return connection.execute(f"{narrowed} ORDER BY {order}", bound)

    def narrow(self, sql: str, parameters: Sequence[str | int] = ()) -> tuple[str, tuple[str | int, ...]]:
        """``sql`` as for ``select``, narrowed, and its parameters: for use within another statement."""
        return " AND ".join([sql, *self._conditions]), (*parameters, *self._parameters)

    def matches(self, path: str) -> bool:
        """Whether one of the globs matches, if there are any."""
        return self.exact or any(pattern.fullmatch(path) for pattern in self._patterns)

    def _restrict(self, column: str, values: Sequence[str | int]) -> None:
        if values:
            self._conditions.append(f"{column} IN ({', '.join('?' * len(values))})")
            self._parameters.extend(values)

    def _prefilter(self, patterns: Sequence[str]) -> None:
        # Not GLOB: SQLite's takes time exponential in the number of stars.
        if patterns:
            test = "substr(d.path, 1, ?) = ? AND instr(d.path, ?) > 0"
            self._conditions.append(f"({' OR '.join([test] * len(patterns))})")
        for pattern in patterns:
            prefix, literal = coarse(pattern)
            self._parameters.extend((len(prefix), prefix, literal))
