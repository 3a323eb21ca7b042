"""What the index says about the structure of code, as lists for a model: in words, with the lines that prove them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.agent.builtin import lines, proofs, reach
from agentd.agent.builtin.proofs import Said
from agentd.agent.contracts import ToolResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agentd import protocol as p
    from agentd.agent.contracts import Library, Scope

MOST_WAYS = 3


async def defined(library: Library, found: p.SymbolList, name: str, scope: Scope) -> ToolResult:
    """Definitions of a name, else names near to it."""
    symbols = reach.sifted(found["symbols"], scope)
    if not symbols:
        return _undefined(found, name, scope)
    result = ToolResult(
        found=len(symbols),
        notes=lines.notes(found, len(symbols), stale(symbols)),
        problems=lines.problems(found),
        roots=reach.roots_of(symbols),
    )
    said = [
        Said(lines.definition(each, scope), proofs.definition(each), lines.with_signature(each, scope))
        for each in symbols
    ]
    return await proofs.proved(result, said, library, scope)


def _undefined(found: p.SymbolList, name: str, scope: Scope) -> ToolResult:
    near = f"The nearest names are: {', '.join(found['nearest'])}" if found["nearest"] else "No name is near to it."
    roots = frozenset(scope.roots if found["nearest"] else ())  # which of them a name is of is not known
    text = f"Nothing called {name} is defined. {near}"
    return ToolResult(text=text, notes=lines.notes(found, 0), problems=lines.problems(found), roots=roots)


async def uses(library: Library, name: str, scope: Scope, *, depth: int, callees: bool) -> ToolResult:
    """What ``name`` calls, or what calls it."""
    ask = library.callees if callees else library.callers
    found = await ask(reach.named(name, scope), roots=reach.asked(scope), depth=depth, limit=lines.rows(scope))
    about, entries = reach.sifted(found["symbols"], scope), reach.sifted(found["entries"], scope)
    others = {each["id"]: each for each in (*entries, *about)}

    def said(entry: p.Call) -> Said:
        of = others.get(entry["of"])
        if callees:
            return Said(lines.callee(entry, scope), proofs.call(of, entry["line"], entry["name"]))
        return Said(lines.caller(entry, scope), proofs.called(entry, of["name"] if of else ""))

    head = f"{'Called by' if callees else 'Callers of'} {lines.subjects(about, scope)}:"
    proof = proofs.definition(about[0]) if len(about) == 1 else ()
    body = [said(each) for each in entries] or [Said("none that is known")]
    result = ToolResult(
        found=len(entries),
        notes=lines.notes(found, len(entries), stale(entries)),
        problems=lines.problems(found),
        roots=reach.roots_of(about, entries),
    )
    return await proofs.proved(result, [Said(head, proof), *body], library, scope)


async def ways(library: Library, source: str, target: str, scope: Scope) -> ToolResult:
    """Chains of calls, the shortest first."""
    ends = reach.named(source, scope), reach.named(target, scope)
    found = await library.call_chain(*ends, roots=reach.asked(scope), limit=MOST_WAYS)
    chains = [steps for steps in found["chains"] if len(reach.sifted(steps, scope)) == len(steps)]
    about = reach.sifted([*found["sources"], *found["targets"]], scope)
    said = [each for steps in chains for each in (Said(""), *_way(steps, scope))][1:]
    none = Said(f"No way of calls is known from {source} to {target}.")
    result = ToolResult(
        found=len(chains),
        notes=lines.notes(found, len(chains)),
        problems=lines.problems(found),
        roots=reach.roots_of(about, *chains),
    )
    return await proofs.proved(result, said or [none], library, scope)


def _way(steps: Sequence[p.ChainStep], scope: Scope) -> list[Said]:
    """A chain of calls: each step with the call that leads to it, and its head, as it is who calls next."""
    said = []
    for before, step in zip([None, *steps], steps, strict=False):
        leads = proofs.call(before, step["line"] if step["edge"] == "calls" else None, step["name"])
        said.append(Said(lines.step(step, scope), (*leads, *proofs.definition(step))))
    return said


async def dependencies(
    library: Library, about: Mapping[str, str], scope: Scope, *, outwards: bool, transitive: bool
) -> ToolResult:
    """What a file imports, or what imports it; ``about`` holds the ``path`` of the file, or a ``symbol`` of it."""
    ask = library.dependencies if outwards else library.dependents
    found = await ask(**about, roots=reach.asked(scope), transitive=transitive, limit=lines.rows(scope))
    entries = reach.sifted(found["entries"], scope)
    files = [file for file in found["files"] if reach.root_of(file, scope)]
    changed = {each["path"] for each in entries if each["stale"]}

    def said(entry: p.ImportEntry) -> Said:
        importing, imported = (entry["of"], entry["path"]) if outwards else (entry["path"], entry["of"])
        proof = proofs.imports(importing, entry["line"], reach.shown(imported, scope), stale=importing in changed)
        return Said((lines.imported if outwards else lines.importing)(entry, scope), proof)

    head = f"{', '.join(reach.shown(file, scope) for file in files)} {'imports' if outwards else 'is imported by'}:"
    body = [said(each) for each in entries] or [Said("nothing that is indexed")]
    cycles = [Said(f"Cycle: {' -> '.join(reach.shown(file, scope) for file in cycle)}") for cycle in found["cycles"]]
    result = ToolResult(
        found=len(entries),
        notes=lines.notes(found, len(entries), stale(entries)),
        problems=lines.problems(found),
        roots=reach.roots_of(entries) | {reach.root_of(file, scope) for file in files},
    )
    return await proofs.proved(result, [Said(head), *body, *cycles], library, scope)


async def measured(library: Library, found: p.Complexity, scope: Scope) -> ToolResult:
    """The most complicated functions."""
    entries = reach.sifted(found["entries"], scope)
    head = f"{found['functions']:,} functions in {found['files']:,} files were measured."
    said = [Said(head), *(Said(lines.figures(each, scope), proofs.definition(each)) for each in entries)]
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in found["unmeasured"].items())
    result = ToolResult(
        found=len(entries),
        notes=(*lines.notes(found, len(entries)), *([f"files not measured: {left_out}"] if left_out else [])),
        problems=lines.problems(found),
        roots=reach.roots_of(entries) | {reach.root_of(found["path"], scope)} - {""},
    )
    return await proofs.proved(result, said, library, scope)


def stale(found: Sequence[p.SymbolInfo | p.ImportEntry]) -> int:
    """How many changed on disk since they were indexed."""
    return sum(each["stale"] for each in found)
