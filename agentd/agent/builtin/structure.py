"""Tools about the structure of code: definitions, calls, imports, complexity. They name places, the first of them
with the lines that prove them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from agentd.agent.builtin import lines, reach
from agentd.agent.builtin.arguments import Arguments, Path, Symbol
from agentd.agent.builtin.listing import defined, dependencies, measured, uses, ways
from agentd.agent.tools import tool
from agentd.domain import SymbolKind

if TYPE_CHECKING:
    from agentd.agent.contracts import Library, Scope, Tool, ToolResult

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
        return await defined(library, found, asked.name, scope)

    @tool(
        CallChain,
        "Who calls what: with target alone its callers, with source alone what it calls, with both the ways of calls "
        "from source to target.",
    )
    async def call_chain(asked: CallChain, scope: Scope) -> ToolResult:
        if asked.source and asked.target:
            return await ways(library, asked.source, asked.target, scope)
        name = asked.source or asked.target or ""
        return await uses(library, name, scope, depth=asked.depth, callees=bool(asked.source))

    @tool(DependencyAnalysis, "Which files a file imports, or which files import it.")
    async def dependency_analysis(asked: DependencyAnalysis, scope: Scope) -> ToolResult:
        about = (
            {"path": await reach.file_at(asked.path, scope, library)}
            if asked.path
            else {"symbol": reach.named(asked.symbol or "", scope)}
        )
        outwards = asked.direction == "imports"
        return await dependencies(library, about, scope, outwards=outwards, transitive=asked.transitive)

    @tool(CodeComplexity, "The most complicated functions of a file or folder, by independent paths through them.")
    async def code_complexity(asked: CodeComplexity, scope: Scope) -> ToolResult:
        path = await reach.place_at(asked.path, scope, library)
        found = await library.complexity(path, threshold=asked.threshold, limit=lines.rows(scope))
        return await measured(library, found, scope)

    return find_symbol, call_chain, dependency_analysis, code_complexity
