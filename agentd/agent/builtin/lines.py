"""Definitions, calls and files as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.agent.builtin.reach import shown
from agentd.answer.prompt import span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd import protocol as p
    from agentd.agent.contracts import Scope

ROW_TOKENS = 40
"""What a line costs, about."""
MOST_ROWS = 100
MOST_SUBJECTS = 5
SIGNATURE = 160
"""Characters of a signature."""

DOUBTS = {"name": " (by name alone: may be another of this name)", "unique_name": " (by name)"}
"""By certainty; where an edge is followed by scope or import there is nothing to say."""


def rows(scope: Scope) -> int:
    """How many lines one result may have."""
    return min(MOST_ROWS, max(10, scope.limits.result_tokens // ROW_TOKENS))


def definition(row: p.SymbolInfo, scope: Scope) -> str:
    """Where something is defined."""
    return f"{row['kind']} {row['name']}  {shown(row['path'], scope)}:{span(row['start_line'], row['end_line'])}"


def with_signature(row: p.SymbolInfo, scope: Scope) -> str:
    """The same, with its head."""
    return f"{definition(row, scope)}  {row['signature'][:SIGNATURE]}".rstrip()


def subjects(found: Sequence[p.SymbolInfo], scope: Scope) -> str:
    """What was asked about: a name may stand for several definitions."""
    named = "; ".join(definition(each, scope) for each in found[:MOST_SUBJECTS])
    others = len(found) - MOST_SUBJECTS
    return f"{named}; and {others} others" if others > 0 else named


def caller(row: p.Call, scope: Scope) -> str:
    """Who calls, and where."""
    where = f"calls in {shown(row['path'], scope)}:{row['line']}"
    return f"{row['kind']} {row['name']}  {where}{_level(row)}{DOUBTS.get(row['certainty'], '')}"


def callee(row: p.Call, scope: Scope) -> str:
    """What is called, and in which line of whoever calls it."""
    return f"{definition(row, scope)}  called in line {row['line']}{_level(row)}{DOUBTS.get(row['certainty'], '')}"


def step(row: p.ChainStep, scope: Scope) -> str:
    """A step of a chain of calls."""
    if row["edge"] is None:
        return definition(row, scope)
    how = f"called in line {row['line']}" if row["edge"] == "calls" else "which overrides it"
    return f"  -> {definition(row, scope)}  {how}{DOUBTS.get(row['certainty'] or '', '')}"


def imported(row: p.ImportEntry, scope: Scope) -> str:
    """A file that is imported, and where."""
    return f"{shown(row['path'], scope)}  imported in {shown(row['of'], scope)}:{row['line']}{_level(row)}"


def importing(row: p.ImportEntry, scope: Scope) -> str:
    """A file that imports, and where."""
    return f"{shown(row['path'], scope)}:{row['line']}  imports {shown(row['of'], scope)}{_level(row)}"


def figures(row: p.FunctionFigures, scope: Scope) -> str:
    """How complicated a function is."""
    place = f"{shown(row['path'], scope)}:{span(row['start_line'], row['end_line'])}"
    return f"{row['complexity']} paths, {row['lines']} lines: {row['kind']} {row['name']}  {place}"


def notes(answer: p.Answer, shown_rows: int, stale: int = 0) -> tuple[str, ...]:
    """What is missing in an answer."""
    more = [f"{answer['total']:,} in all; these are the first"] if answer["total"] > shown_rows else []
    changed = [f"{stale} of these changed on disk since: lines may have moved"] if stale else []
    return (*answer["degraded"], *answer["skipped"], *changed, *answer["cut"], *more)


def problems(answer: p.Answer) -> tuple[str, ...]:
    """Those of the notes that no call could have avoided."""
    return (*answer["degraded"], *answer["skipped"])


def _level(row: p.Call | p.ImportEntry) -> str:
    return f", {row['depth']} steps away" if row["depth"] > 1 else ""
