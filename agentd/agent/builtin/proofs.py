"""Lines on disk that prove what the index says: where something is defined, called or imported.

The index knows places; what stands there is read as it is now, so that an answer which cites it can be checked.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from agentd.agent.builtin import reach
from agentd.agent.builtin.heads import MOST_LINES, filled, head_of, import_of
from agentd.agent.contracts import Row
from agentd.answer.contracts import Passage, SourceName
from agentd.errors import AgentdError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from agentd import protocol as p
    from agentd.agent.contracts import Library, Scope, ToolResult

    Choose = Callable[[Sequence[str]], range]
    """Which of some lines are the proof, by their places from 0; none where it is not among them."""

ROWS_A_HIT = 2
"""Rows with proofs, for each hit that a search would give: they are as much shorter, and more."""
READ_AT_ONCE = 8
"""Files of one call: threads read them, and searches want some, too."""
MOST_ABOVE = 40
"""Lines that are looked through for the head of a definition: comments and decorators count as part of it."""
LONGEST = 400
"""Characters of a proof. Lines beyond that were not written by hand."""


class Wanted(NamedTuple):
    """Lines to look at for a proof, from 1 and both included. Those of a ``stale`` file may have moved."""

    path: str
    start_line: int
    end_line: int
    choose: Choose
    symbol: str
    about: str
    stale: bool

    @property
    def span(self) -> _Span:
        """What is to be read for it."""
        return self.path, self.start_line, self.end_line


class Said(NamedTuple):
    """A line of a list, and what would prove it; ``instead`` is the line where nothing does, if that is another."""

    text: str
    wanted: tuple[Wanted, ...] = ()
    instead: str = ""


_Span = tuple[str, int, int]


def definition(row: p.SymbolInfo | p.FunctionFigures, through: int = 0) -> tuple[Wanted, ...]:
    """The head of a definition; up to the line ``through`` where that is near. A file as a whole has none."""
    if row["kind"] == "file":
        return ()
    start, signature = row["start_line"], str(row.get("signature", ""))
    choose = partial(head_of, name=row["name"], signature=signature, through=through - start)
    last = min(row["end_line"], start + MOST_ABOVE)
    stale = bool(row.get("stale", False))
    return (Wanted(row["path"], start, last, choose, row["name"], f"defines {row['name']}", stale),)


def call(by: p.SymbolInfo | None, line: int | None, name: str) -> tuple[Wanted, ...]:
    """The line in which ``by`` calls what has this name."""
    if by is None or line is None:
        return ()
    return (Wanted(by["path"], line, line, filled, by["name"], f"calls {name}", by["stale"]),)


def called(row: p.Call, name: str) -> tuple[Wanted, ...]:
    """Who calls, and the line where: neither says both."""
    return (*definition(row, row["line"]), *call(row, row["line"], name))


def imports(path: str, line: int, name: str, *, stale: bool) -> tuple[Wanted, ...]:
    """The line in which the file at ``path`` imports the one that has this name."""
    return (Wanted(path, line, line + MOST_LINES - 1, import_of, "", f"imports {name}", stale),)


async def proved(result: ToolResult, said: Sequence[Said], library: Library, scope: Scope) -> ToolResult:
    """``result`` with what is ``said`` as its rows, the first of them with proofs; a note says where these lack."""
    first = [each for each in said if each.wanted][: ROWS_A_HIT * scope.limits.hits]
    spans = {wanted.span for each in first for wanted in each.wanted if not wanted.stale}
    texts = await _read(library, spans, scope)
    found = {id(each): _proofs(each, texts) for each in first}
    rows = [Row(each.text, proofs, each.instead) for each in said for proofs in [found.get(id(each), ())]]
    without = sum(not each for each in found.values())
    note = f"{without} of these have no source: their lines changed, cannot be read now or are too long"
    return replace(
        result,
        rows=tuple(rows),
        notes=(*result.notes, note) if without else result.notes,
        roots=result.roots | {each.root for proofs in found.values() for each in proofs},
    )


async def _read(library: Library, spans: Collection[_Span], scope: Scope) -> Mapping[_Span, p.Span]:
    """What stands there now, each read once; what cannot be read, or is of no root of the run, is left out."""
    turns = asyncio.Semaphore(READ_AT_ONCE)

    async def one(path: str, start_line: int, end_line: int) -> p.Span | None:
        if not reach.root_of(path, scope):
            return None
        try:
            async with turns:
                return await library.read_span(path, start_line, end_line)
        except AgentdError:  # it changed, is gone or has no lines: then there is no proof
            return None

    found = await asyncio.gather(*(one(*span) for span in spans))
    return {span: text for span, text in zip(spans, found, strict=True) if text and text["root"] in scope.roots}


def _proofs(said: Said, texts: Mapping[_Span, p.Span]) -> tuple[Passage, ...]:
    """What stands there to prove it. A passage that another one before it holds proves no more."""
    found: list[Passage] = []
    for wanted in said.wanted:
        read = None if wanted.stale else texts.get(wanted.span)
        passage = _proof(wanted, read) if read else None
        if passage and not any(_holds(each, passage) for each in found):
            found.append(passage)
    return tuple(found)


def _proof(wanted: Wanted, read: p.Span) -> Passage | None:
    lines = read["text"].removesuffix("\n").split("\n")
    chosen = wanted.choose(lines)
    text = "\n".join(lines[at] for at in chosen)
    if not chosen or len(text) > LONGEST:
        return None
    return Passage(
        source=SourceName.GRAPH,
        text=text,
        start_line=wanted.start_line + chosen.start,
        end_line=wanted.start_line + chosen.stop - 1,
        path=read["path"],
        root=read["root"],
        symbol=wanted.symbol,
        about=wanted.about,
    )


def _holds(outer: Passage, inner: Passage) -> bool:
    return outer.path == inner.path and outer.start_line <= inner.start_line and inner.end_line <= outer.end_line
