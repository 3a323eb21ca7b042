"""find_symbol and related: about definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from msgspec import UNSET

from agentd.mcp import arguments as a
from agentd.mcp import shapes as s
from agentd.mcp import text as t
from agentd.mcp.tool import Tool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentd import protocol as p
    from agentd.mcp.call import Call


def definition_of(info: p.SymbolInfo) -> s.Definition:
    """One definition."""
    shown: s.Definition = {
        "name": info["name"],
        "kind": info["kind"],
        "path": info["path"],
        "start_line": info["start_line"],
        "end_line": info["end_line"],
        "signature": info["signature"],
    }
    if info["stale"]:
        shown["stale"] = True
    return shown


def call_of(info: p.Call, names: Mapping[int, str]) -> s.CallSite:
    """One caller or callee; ``names`` are those of definitions by their id."""
    where = {"line": info["line"], "certainty": info["certainty"], "depth": info["depth"]}
    shown = cast("s.CallSite", {**definition_of(info), **where})
    if info["of"] in names:
        shown["of"] = names[info["of"]]
    return shown


def call_line(entry: s.CallSite) -> str:
    """A definition, and where the call stands."""
    deep = f", {entry['depth']} calls away" if entry["depth"] > 1 else ""
    of = f" of {entry['of']}" if "of" in entry else ""
    return f"{t.definition(entry)}  [call{of} in line {entry['line']}, {entry['certainty']}{deep}]"


async def find_symbol(call: Call, _given: a.FindSymbol) -> s.Definitions:
    """Definitions of a name."""
    answer: p.SymbolList = await call.ask("find_symbol")
    return {
        "symbols": call.room.take([definition_of(symbol) for symbol in answer["symbols"]], "definitions"),
        "nearest": answer["nearest"],
        "total": answer["total"],
        "notes": call.notes(answer),
    }


def symbols_text(answer: s.Definitions) -> str:
    """One definition a line, else the names that are near."""
    near = f" The nearest names: {', '.join(answer['nearest'])}" if answer["nearest"] else ""
    lines = [t.definition(symbol) for symbol in answer["symbols"]] or [f"No such definition.{near}"]
    return t.text_of(lines, answer["notes"])


async def related(call: Call, given: a.Related) -> s.Related:
    """What belongs to a line."""
    answer: p.Related = await call.ask("related", roots=UNSET, path=call.scope.path(given.path))
    around = [symbol for symbol in (answer["symbol"], answer["container"]) if symbol]
    names = {symbol["id"]: symbol["name"] for symbol in around if symbol["id"] is not None}
    take = call.room.take
    return {
        "path": answer["path"],
        "line": answer["line"],
        "symbol": definition_of(answer["symbol"]) if answer["symbol"] else None,
        "container": definition_of(answer["container"]) if answer["container"] else None,
        "callers": take([call_of(each, names) for each in answer["callers"]], "callers"),
        "callees": take([call_of(each, names) for each in answer["callees"]], "callees"),
        "tests": take([call_of(each, names) for each in answer["tests"]], "tests"),
        "bases": take([definition_of(each) for each in answer["bases"]], "bases"),
        "derived": take([definition_of(each) for each in answer["derived"]], "derived"),
        "members": take([definition_of(each) for each in answer["members"]], "members"),
        "siblings": take([definition_of(each) for each in answer["siblings"]], "siblings"),
        "similar": take([similar_of(each) for each in answer["similar"]], "similar passages"),
        "notes": call.notes(answer),
    }


def similar_of(near: p.Near) -> s.Similar:
    """One passage."""
    return {
        "path": near["path"],
        "start_line": near["start_line"],
        "end_line": near["end_line"],
        "symbol": near["symbol"],
        "score": round(near["score"], 3),
    }


def related_text(answer: s.Related) -> str:
    """Group by group."""
    lines = [t.definition(answer["symbol"]) if answer["symbol"] else f"No definition is around line {answer['line']}."]
    if answer["container"]:
        lines += t.group("in", [t.definition(answer["container"])])
    lines += t.group("callers", [call_line(each) for each in answer["callers"]])
    lines += t.group("callees", [call_line(each) for each in answer["callees"]])
    lines += t.group("tests", [call_line(each) for each in answer["tests"]])
    lines += t.group("bases", [t.definition(each) for each in answer["bases"]])
    lines += t.group("derived", [t.definition(each) for each in answer["derived"]])
    lines += t.group("members", [t.definition(each) for each in answer["members"]])
    lines += t.group("siblings", [t.definition(each) for each in answer["siblings"]])
    lines += t.group("similar", [f"{t.place(each)}  {each['symbol']}" for each in answer["similar"]])
    return t.text_of(lines, answer["notes"])


TOOLS = (
    Tool(
        "find_symbol",
        "Find definitions",
        "Definitions of a name: classes, functions, methods and the like, with place and signature.",
        a.FindSymbol,
        s.Definitions,
        find_symbol,
        symbols_text,
    ),
    Tool(
        "related",
        "What belongs to a line",
        "What belongs to a line of a file: the definition around it, its callers, callees, tests, bases, members and "
        "siblings, and passages near in meaning. Good to ask before a change.",
        a.Related,
        s.Related,
        related,
        related_text,
    ),
)
