"""Tools about the structure of code: definitions, calls, imports, complexity. They name places; ``read_span`` shows
what stands there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from agentd.agent.builtin import lines, reach
from agentd.agent.builtin.arguments import Arguments, Path, Symbol
from agentd.agent.contracts import ToolResult
from agentd.agent.tools import tool
from agentd.domain import SymbolKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd import protocol as p
    from agentd.agent.contracts import Library, Scope, Tool

MOST_WAYS = 3
NAMED = "A name, qualified or not, or PATH:NAME, or PATH:LINE"


class FindSymbol(Arguments, frozen=True, kw_only=True):
    """Parameters of ``find_symbol``."""

    name: Annotated[Symbol, Meta(description="A name, qualified or not, as in Session.get")]
    kinds: Annotated[tuple[SymbolKind, ...], Meta(max_length=13, description="Only definitions of these kinds")] = ()


class CallChain(Arguments, frozen=True, kw_only=True):
    """Parameters of ``call_chain``."""

    source: Annotated[Symbol, Meta(description=f"Who calls. {NAMED}")] | None = None
    target: Annotated[Symbol, Meta(description="What is called, named likewise")] | None = None
    depth: Annotated[int, Meta(ge=1, le=5, description="With one of both: how many calls away at most")] = 1

    def __post_init__(self) -> None:
        """Raise ValueError, which the decoder reports, where both are left out."""
        if not (self.source or self.target):
            raise ValueError("expected `source`, `target`, or both")


class DependencyAnalysis(Arguments, frozen=True, kw_only=True):
    """Parameters of ``dependency_analysis``."""

    path: Annotated[Path, Meta(description="The file")] | None = None
    symbol: Annotated[Symbol, Meta(description="In place of a file: a name that it defines")] | None = None
    direction: Annotated[
        Literal["imports", "imported_by"], Meta(description="What the file imports, or what imports it")
    ] = "imports"
    transitive: Annotated[bool, Meta(description="Follow imports to the end, and show cycles")] = False

    def __post_init__(self) -> None:
        """Raise ValueError, which the decoder reports, unless one of the two is given."""
        if bool(self.path) == bool(self.symbol):
            raise ValueError("expected either `path` or `symbol`")


class CodeComplexity(Arguments, frozen=True, kw_only=True):
    """Parameters of ``code_complexity``."""

    path: Annotated[str, Meta(max_length=4096, description="A file or folder; left out: all of the root")] = ""
    threshold: Annotated[int, Meta(ge=1, le=1000, description="Independent paths that a function has at least")] = 10


def structure_tools(library: Library) -> tuple[Tool, ...]:
    """Definitions by name; calls; imports; the most complicated functions."""

    @tool(FindSymbol, "Find where a function, class or other name is defined, with its signature.")
    async def find_symbol(asked: FindSymbol, scope: Scope) -> ToolResult:
        options: dict[str, object] = {"roots": reach.asked(scope), "kinds": list(asked.kinds)}
        found = await library.find_symbol(reach.named(asked.name, scope), limit=lines.rows(scope), **options)
        return defined(found, asked.name, scope)

    @tool(
        CallChain,
        "Who calls what: with target alone its callers, with source alone what it calls, with both the ways of calls "
        "from source to target.",
    )
    async def call_chain(asked: CallChain, scope: Scope) -> ToolResult:
        if asked.source and asked.target:
            return await ways(library, asked.source, asked.target, scope)
        return await uses(library, asked, scope)

    @tool(DependencyAnalysis, "Which files a file imports, or which files import it.")
    async def dependency_analysis(asked: DependencyAnalysis, scope: Scope) -> ToolResult:
        about = (
            {"path": await reach.file_at(asked.path, scope, library)}
            if asked.path
            else {"symbol": reach.named(asked.symbol or "", scope)}
        )
        return await dependencies(library, asked, about, scope)

    @tool(CodeComplexity, "The most complicated functions of a file or folder, by independent paths through them.")
    async def code_complexity(asked: CodeComplexity, scope: Scope) -> ToolResult:
        path = await reach.place_at(asked.path, scope, library)
        return measured(await library.complexity(path, threshold=asked.threshold, limit=lines.rows(scope)), scope)

    return find_symbol, call_chain, dependency_analysis, code_complexity


def defined(found: p.SymbolList, name: str, scope: Scope) -> ToolResult:
    """Definitions of a name, else names near to it."""
    symbols = reach.sifted(found["symbols"], scope)
    if symbols:
        notes = lines.notes(found, len(symbols), stale(symbols))
        text = "\n".join(lines.with_signature(each, scope) for each in symbols)
        return ToolResult(
            text=text, found=len(symbols), notes=notes, problems=lines.problems(found), roots=reach.roots_of(symbols)
        )
    near = f"The nearest names are: {', '.join(found['nearest'])}" if found["nearest"] else "No name is near to it."
    roots = frozenset(scope.roots if found["nearest"] else ())  # which of them a name is of is not known
    text = f"Nothing called {name} is defined. {near}"
    return ToolResult(text=text, notes=lines.notes(found, 0), problems=lines.problems(found), roots=roots)


async def uses(library: Library, asked: CallChain, scope: Scope) -> ToolResult:
    """Callers or callees."""
    ask, line = (library.callees, lines.callee) if asked.source else (library.callers, lines.caller)
    symbol = reach.named(asked.source or asked.target or "", scope)
    found = await ask(symbol, roots=reach.asked(scope), depth=asked.depth, limit=lines.rows(scope))
    about, entries = reach.sifted(found["symbols"], scope), reach.sifted(found["entries"], scope)
    head = f"{'Called by' if asked.source else 'Callers of'} {lines.subjects(about, scope)}:"
    body = [line(each, scope) for each in entries] or ["none that is known"]
    return ToolResult(
        text="\n".join([head, *body]),
        found=len(entries),
        notes=lines.notes(found, len(entries), stale(entries)),
        problems=lines.problems(found),
        roots=reach.roots_of(about, entries),
    )


async def ways(library: Library, source: str, target: str, scope: Scope) -> ToolResult:
    """Chains of calls, the shortest first."""
    ends = reach.named(source, scope), reach.named(target, scope)
    found = await library.call_chain(*ends, roots=reach.asked(scope), limit=MOST_WAYS)
    chains = [steps for steps in found["chains"] if len(reach.sifted(steps, scope)) == len(steps)]
    about = reach.sifted([*found["sources"], *found["targets"]], scope)
    text = "\n\n".join(lines.way(steps, scope) for steps in chains)
    return ToolResult(
        text=text or f"No way of calls is known from {source} to {target}.",
        found=len(chains),
        notes=lines.notes(found, len(chains)),
        problems=lines.problems(found),
        roots=reach.roots_of(about, *chains),
    )


async def dependencies(library: Library, asked: DependencyAnalysis, about: dict[str, str], scope: Scope) -> ToolResult:
    """What a file imports, or what imports it."""
    outwards = asked.direction == "imports"
    ask, line = (library.dependencies, lines.imported) if outwards else (library.dependents, lines.importing)
    found = await ask(**about, roots=reach.asked(scope), transitive=asked.transitive, limit=lines.rows(scope))
    entries = reach.sifted(found["entries"], scope)
    files = [file for file in found["files"] if reach.root_of(file, scope)]
    head = f"{', '.join(reach.shown(file, scope) for file in files)} {'imports' if outwards else 'is imported by'}:"
    body = [line(each, scope) for each in entries] or ["nothing that is indexed"]
    cycles = [f"Cycle: {' -> '.join(reach.shown(file, scope) for file in cycle)}" for cycle in found["cycles"]]
    return ToolResult(
        text="\n".join([head, *body, *cycles]),
        found=len(entries),
        notes=lines.notes(found, len(entries), stale(entries)),
        problems=lines.problems(found),
        roots=reach.roots_of(entries) | {reach.root_of(file, scope) for file in files},
    )


def measured(found: p.Complexity, scope: Scope) -> ToolResult:
    """The most complicated functions."""
    entries = reach.sifted(found["entries"], scope)
    head = f"{found['functions']:,} functions in {found['files']:,} files were measured."
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in found["unmeasured"].items())
    return ToolResult(
        text="\n".join([head, *(lines.figures(each, scope) for each in entries)]),
        found=len(entries),
        notes=(*lines.notes(found, len(entries)), *([f"files not measured: {left_out}"] if left_out else [])),
        problems=lines.problems(found),
        roots=reach.roots_of(entries) | {reach.root_of(found["path"], scope)} - {""},
    )


def stale(found: Sequence[p.SymbolInfo | p.ImportEntry]) -> int:
    """How many changed on disk since they were indexed."""
    return sum(each["stale"] for each in found)
