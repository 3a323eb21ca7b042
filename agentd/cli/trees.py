"""Answers about symbols and the graph as text: trees whose lines name places that editors and terminals open."""

from __future__ import annotations

from agentd.cli import output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agentd.protocol import Call, Calls, Chains, ChainStep, Complexity, ImportEntry, Imports, Related, SymbolInfo

DOUBTS = {"unique_name": "by its name, which is unique", "name": "by its name alone"}
"""What is said about a line less sure than an import."""

MAX_LINES = 8
"""Lines of a caller, and files of a circle, that are listed; the others are counted."""

GROUPS = (
    ("siblings", "beside it"),
    ("members", "in it"),
    ("callers", "called by"),
    ("tests", "tested by"),
    ("callees", "calls"),
    ("bases", "derives from"),
    ("derived", "derived by"),
)


class Branch:
    """A line, and the branches below it."""

    def __init__(self, line: str, branches: Iterable[Branch] = ()) -> None:
        self.line = line
        self.branches = list(branches)

    def lines(self) -> Iterator[str]:
        """The tree, drawn. Not recursive: a chain may be as deep as it likes."""
        yield self.line
        waiting = [("", branch, branch is self.branches[-1]) for branch in reversed(self.branches)]
        while waiting:
            indent, branch, last = waiting.pop()
            yield f"{indent}{'└─ ' if last else '├─ '}{branch.line}"
            indent += "   " if last else "│  "
            waiting += [(indent, below, below is branch.branches[-1]) for below in reversed(branch.branches)]


def symbol_lines(symbols: Iterable[SymbolInfo], screen: output.Screen) -> Iterator[str]:
    """Two lines a definition: where it is, and its head."""
    for symbol in symbols:
        yield definition(symbol, screen)
        if symbol["signature"]:
            yield "    " + screen.fit(output.clean(symbol["signature"]), 4)


def call_lines(result: Calls, screen: output.Screen, *, callers: bool) -> Iterator[str]:
    """A tree for each symbol that was asked about."""
    below: dict[int, list[list[Call]]] = {}
    for calls in together(result["entries"]):
        below.setdefault(calls[0]["of"], []).append(calls)
    seen: set[int] = set()

    def branches(identity: int | None) -> list[Branch]:
        if identity is None or identity in seen:  # a circle, or shown above
            return []
        seen.add(identity)
        return [
            Branch(call_line(calls, screen, callers=callers), branches(calls[0]["id"]))
            for calls in below.get(identity, [])
        ]

    used = [symbol for symbol in result["symbols"] if symbol["id"] in below]
    for symbol in used or result["symbols"]:
        yield from Branch(definition(symbol, screen), branches(symbol["id"])).lines()
    if used and (others := len(result["symbols"]) - len(used)):
        yield screen.paint(f"{others} other definition{'s' if others > 1 else ''} of that name: none", output.DIM)


def together(entries: Iterable[Call]) -> Iterable[list[Call]]:
    """Calls of the same thing by the same one, which make one line."""
    groups: dict[tuple[str, str, int, int], list[Call]] = {}
    for entry in entries:
        groups.setdefault((entry["path"], entry["name"], entry["start_line"], entry["of"]), []).append(entry)
    return groups.values()


def chain_lines(result: Chains, screen: output.Screen) -> Iterator[str]:
    """A staircase for each way."""
    for number, chain in enumerate(result["chains"]):
        if number:
            yield ""
        for depth, step in enumerate(chain):
            indent = "" if not depth else "   " * (depth - 1) + "└─ "
            said = notes([led_here(step), DOUBTS.get(step["certainty"] or "", "")], screen)
            yield f"{indent}{definition(step, screen)}{said}"


def led_here(step: ChainStep) -> str:
    """How the step before leads to one."""
    if step["edge"] == "inherits":
        return "overrides it"
    return f"called in line {step['line']}" if step["line"] else ""


def import_lines(result: Imports, screen: output.Screen, *, dependents: bool) -> Iterator[str]:
    """A tree for each file that was asked about, then the files that import each other."""
    below: dict[str, list[ImportEntry]] = {}
    for entry in result["entries"]:
        below.setdefault(entry["of"], []).append(entry)
    seen: set[str] = set()

    def branches(path: str) -> list[Branch]:
        if path in seen:
            return []
        seen.add(path)
        return [
            Branch(import_line(entry, screen, dependents=dependents), branches(entry["path"]))
            for entry in below.get(path, [])
        ]

    for path in result["files"]:
        yield from Branch(place(path, 0, screen), branches(path)).lines()
    for cycle in result["cycles"]:
        names = ", ".join(output.short_path(path) for path in cycle[:MAX_LINES])
        more = f" and {len(cycle) - MAX_LINES} more" if len(cycle) > MAX_LINES else ""
        yield screen.paint(f"{len(cycle)} files import each other: ", output.YELLOW) + names + more


def complexity_lines(result: Complexity, screen: output.Screen) -> Iterator[str]:
    """A table, the worst first."""
    rows = [("complexity", "lines", "function", "")] if result["entries"] else []
    rows += [
        (
            str(each["complexity"]),
            str(each["lines"]),
            output.clean(each["name"]),
            place_of(each["path"], each["start_line"]),
        )
        for each in result["entries"]
    ]
    for number, line in enumerate(output.table(rows) if rows else []):
        yield screen.paint(line, output.DIM) if number == 0 else line


def related_lines(result: Related, screen: output.Screen) -> Iterator[str]:
    """What the line is in, then each group that is not empty."""
    yield definition(result["symbol"], screen) if result["symbol"] else place(result["path"], result["line"], screen)
    if result["container"]:
        yield f"{screen.paint('in', output.DIM)} {definition(result['container'], screen)}"
    for group, title in GROUPS:
        lines = list(group_lines(result, group, screen))
        if lines:
            yield screen.paint(title, output.BOLD)
            yield from (f"  {line}" for line in lines)
    if result["similar"]:
        yield screen.paint("near in meaning", output.BOLD)
    for near in result["similar"]:
        yield f"  {place(near['path'], near['start_line'], screen)}  {output.clean(near['symbol'])}".rstrip()


def group_lines(result: Related, group: str, screen: output.Screen) -> Iterator[str]:
    """One line for each of a group: calls that belong together in one."""
    if group in {"callers", "tests", "callees"}:
        calls: list[Call] = result[group]  # type: ignore[literal-required]  # a key of Related
        return (call_line(each, screen, callers=group != "callees") for each in together(calls))
    symbols: list[SymbolInfo] = result[group]  # type: ignore[literal-required]  # as above
    return (definition(symbol, screen) for symbol in symbols)


def definition(symbol: SymbolInfo, screen: output.Screen) -> str:
    """``kind name  path:line``."""
    kind = "" if symbol["kind"] == "file" else screen.paint(output.clean(symbol["kind"]), output.DIM) + " "
    name = screen.paint(output.clean(symbol["name"]), output.BOLD)
    return f"{kind}{name}  {place(symbol['path'], symbol['start_line'], screen)}{stale(symbol['stale'], screen)}"


def call_line(calls: list[Call], screen: output.Screen, *, callers: bool) -> str:
    """``name  path:line``: a caller with the lines of its calls; what is called with the line where it begins."""
    first = calls[0]
    numbers = sorted({call["line"] for call in calls})
    listed = ", ".join(map(str, numbers[1:MAX_LINES] if callers else numbers[:MAX_LINES]))
    listed += f" and {len(numbers) - MAX_LINES} more" if len(numbers) > MAX_LINES else ""
    named = "lines" if len(numbers) > 1 else "line"
    lines = (f"also {listed}" if callers else f"in {named} {listed}") if listed else ""
    where = place(first["path"], numbers[0] if callers else first["start_line"], screen)
    name = "" if first["kind"] == "file" else screen.paint(output.clean(first["name"]), output.BOLD) + "  "
    said = notes([lines, DOUBTS.get(first["certainty"], "")], screen)
    return f"{name}{where}{said}{stale(first['stale'], screen)}"


def import_line(entry: ImportEntry, screen: output.Screen, *, dependents: bool) -> str:
    """The file, with the line of the import where that stands in it."""
    said = notes(["" if dependents else f"line {entry['line']}", DOUBTS.get(entry["certainty"], "")], screen)
    where = place(entry["path"], entry["line"] if dependents else 0, screen)
    return f"{where}{said}{stale(entry['stale'], screen)}"


def place_of(path: str, line: int) -> str:
    """``path:line``, seen from here; the path alone for line 0."""
    return f"{output.short_path(path)}:{line}" if line else output.short_path(path)


def place(path: str, line: int, screen: output.Screen) -> str:
    """The same, as a link where the terminal knows them."""
    return screen.link(screen.paint(place_of(path, line), output.MAGENTA), path)


def notes(said: list[str], screen: output.Screen) -> str:
    """What is said in brackets, those that say nothing left out."""
    found = ", ".join(each for each in said if each)
    return "  " + screen.paint(f"({found})", output.DIM) if found else ""


def stale(is_stale: bool, screen: output.Screen) -> str:  # noqa: FBT001  # a field of the answer, handed through
    """A warning about a file that changed."""
    return "  " + screen.paint("changed since it was indexed", output.YELLOW) if is_stale else ""
