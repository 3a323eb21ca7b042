"""callers, callees, call_chain, dependencies and dependents: who uses what."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from msgspec import UNSET

from agentd.mcp import arguments as a
from agentd.mcp import shapes as s
from agentd.mcp import text as t
from agentd.mcp.tool import Tool
from agentd.mcp.tools.symbols import call_line, call_of, definition_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentd import protocol as p
    from agentd.mcp.call import Call


async def callers(call: Call, _given: a.Calls) -> s.Calls:
    """Who calls it."""
    return calls_of(call, await call.ask("graph.callers"))


async def callees(call: Call, _given: a.Calls) -> s.Calls:
    """What it calls."""
    return calls_of(call, await call.ask("graph.callees"))


def calls_of(call: Call, answer: p.Calls) -> s.Calls:
    """One answer of both. Ids mean nothing to a model: what an entry belongs to is named, where that is in doubt."""
    names = {each["id"]: each["name"] for each in (*answer["symbols"], *answer["entries"]) if each["id"] is not None}
    plain = len(answer["symbols"]) == 1 and all(entry["depth"] == 1 for entry in answer["entries"])
    entries = [call_of(entry, {} if plain else names) for entry in answer["entries"]]
    return {
        "symbols": call.room.take([definition_of(symbol) for symbol in answer["symbols"]], "definitions"),
        "entries": call.room.take(entries, "entries"),
        "total": answer["total"],
        "notes": call.notes(answer),
    }


def calls_text(answer: s.Calls) -> str:
    """What was asked about, then one entry a line."""
    about = t.group("of", [t.definition(symbol) for symbol in answer["symbols"]])
    lines = [call_line(entry) for entry in answer["entries"]] or ["None is known."]
    return t.text_of([*about, *lines], answer["notes"])


async def call_chain(call: Call, _given: a.CallChain) -> s.Chains:
    """How calls lead from one definition to another."""
    answer: p.Chains = await call.ask("graph.call_chain")
    chains = [[step_of(step) for step in chain] for chain in answer["chains"]]
    return {
        "chains": call.room.take(chains, "ways"),
        "total": answer["total"],
        "notes": call.notes(answer),
    }


def step_of(info: p.ChainStep) -> s.Step:
    """One step."""
    step = cast("s.Step", definition_of(info))
    if info["edge"] is not None:
        step["edge"] = info["edge"]
    if info["line"] is not None:
        step["line"] = info["line"]
    if info["certainty"] is not None:
        step["certainty"] = info["certainty"]
    return step


def chains_text(answer: s.Chains) -> str:
    """Way by way, one step a line."""
    lines = [] if answer["chains"] else ["No way of calls leads there, as far as is known."]
    for number, chain in enumerate(answer["chains"], 1):
        lines += t.group(f"way {number}", [step_line(step) for step in chain])
    return t.text_of(lines, answer["notes"])


def step_line(step: s.Step) -> str:
    """A definition, and how the step before leads to it."""
    line = f" in line {step['line']}" if "line" in step else ""
    return f"{step['edge']}{line}: {t.definition(step)}" if "edge" in step else t.definition(step)


async def dependencies(call: Call, given: a.Imports) -> s.Imports:
    """What a file imports."""
    return await imports(call, given, "graph.dependencies")


async def dependents(call: Call, given: a.Imports) -> s.Imports:
    """What imports a file."""
    return await imports(call, given, "graph.dependents")


async def imports(call: Call, given: a.Imports, method: str) -> s.Imports:
    """One answer of both."""
    path = call.scope.path(given.path) if isinstance(given.path, str) else UNSET
    answer: p.Imports = await call.ask(method, path=path, **({"roots": UNSET} if given.path else {}))
    return {
        "files": answer["files"],
        "entries": call.room.take([import_of(entry) for entry in answer["entries"]], "files"),
        "cycles": call.room.take(answer["cycles"], "cycles"),
        "total": answer["total"],
        "notes": call.notes(answer),
    }


def import_of(entry: p.ImportEntry) -> s.Import:
    """One file."""
    shown: s.Import = {
        "path": entry["path"],
        "line": entry["line"],
        "of": entry["of"],
        "depth": entry["depth"],
        "certainty": entry["certainty"],
    }
    if entry["stale"]:
        shown["stale"] = True
    return shown


def imported(entry: s.Import) -> str:
    """A dependency, and where it is imported."""
    return f"{t.shown(entry['path'])}  imported in {t.shown(entry['of'])}:{entry['line']}{doubt(entry)}"


def importing(entry: s.Import) -> str:
    """A dependent, and where it imports."""
    return f"{t.shown(entry['path'])}:{entry['line']}  imports {t.shown(entry['of'])}{doubt(entry)}"


def doubt(entry: s.Import) -> str:
    """What to add where it is not sure that this file is meant, or that it still says so."""
    certainty = "" if entry["certainty"] in {"exact", "import"} else f"  ({entry['certainty'].replace('_', ' ')})"
    return f"{certainty}{t.changed(entry)}"


def imports_text(line: Callable[[s.Import], str], answer: s.Imports) -> str:
    """One file a line, as ``line`` has it."""
    about = t.group("of", [t.shown(path) for path in answer["files"]])
    lines = [line(entry) for entry in answer["entries"]]
    cycles = t.group("files that import each other", [", ".join(map(t.shown, cycle)) for cycle in answer["cycles"]])
    return t.text_of([*about, *(lines or ["None is known."]), *cycles], answer["notes"])


TOOLS = (
    Tool(
        "callers",
        "Who calls it",
        "What calls a function, method or class, with the line of each call and how surely it was resolved.",
        a.Calls,
        s.Calls,
        callers,
        calls_text,
    ),
    Tool("callees", "What it calls", "What a function, method or class calls.", a.Calls, s.Calls, callees, calls_text),
    Tool(
        "call_chain",
        "How calls lead from one to another",
        "Ways of calls that lead from one definition to another, the shortest first.",
        a.CallChain,
        s.Chains,
        call_chain,
        chains_text,
    ),
    Tool(
        "dependencies",
        "What a file imports",
        "Files of the same root that a file imports; give either path or symbol.",
        a.Imports,
        s.Imports,
        dependencies,
        partial(imports_text, imported),
    ),
    Tool(
        "dependents",
        "What imports a file",
        "Files of the same root that import a file: what a change to it may break. Give either path or symbol.",
        a.Imports,
        s.Imports,
        dependents,
        partial(imports_text, importing),
    ),
)
