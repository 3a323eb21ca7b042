"""A graph as text that draws it: Mermaid (https://mermaid.js.org/syntax/flowchart.html) and the DOT language
(https://graphviz.org/doc/info/lang.html). Names come from files: each is escaped so that it is a label and no more.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentd.protocol import Call, Calls, Chains, ChainStep, Imports, SymbolInfo

    Key = tuple[str, str, int]

MERMAID_ARROWS = {"exact": "==>", "import": "-->", "unique_name": "-.->", "name": '-. "?" .->'}
DOT_STYLES = {"exact": "bold", "import": "solid", "unique_name": "dashed", "name": "dotted"}

_SPECIAL_IN_MERMAID = re.compile(r"""["#<>&;`{}\[\]|\\%]""")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Diagram:
    """Nodes in the order in which they were met, and arrows between them, each once."""

    def __init__(self) -> None:
        self.labels: list[str] = []
        self.arrows: dict[tuple[int, int], str] = {}  # (from, to) -> certainty; the first is the surest
        self._numbers: dict[Key, int] = {}

    def node(self, key: Key, label: str) -> int:
        """The number of a node, which is new where its key is."""
        if key not in self._numbers:
            self._numbers[key] = len(self.labels)
            self.labels.append(label)
        return self._numbers[key]

    def arrow(self, start: int, end: int, certainty: str) -> None:
        """Lead from one node to another."""
        self.arrows.setdefault((start, end), certainty)

    def mermaid(self) -> Iterator[str]:
        """The lines of a flow chart: thick arrows are exact, broken ones less sure than an import."""
        yield "flowchart LR"
        for number, label in enumerate(self.labels):
            yield f'  n{number}["{mermaid_text(label)}"]'
        for (start, end), certainty in self.arrows.items():
            yield f"  n{start} {MERMAID_ARROWS.get(certainty, '-->')} n{end}"

    def dot(self) -> Iterator[str]:
        """The lines of a digraph, with the same meaning of its lines."""
        yield "digraph {"
        yield "  rankdir=LR; node [shape=box];"
        for number, label in enumerate(self.labels):
            yield f"  n{number} [label={dot_text(label)}];"
        for (start, end), certainty in self.arrows.items():
            yield f"  n{start} -> n{end} [style={DOT_STYLES.get(certainty, 'solid')}];"
        yield "}"


def mermaid_text(text: str) -> str:
    """``text`` for a quoted label: what means something there is written by its number."""
    return _SPECIAL_IN_MERMAID.sub(lambda match: f"#{ord(match[0])};", _CONTROL.sub("\ufffd", text))


def dot_text(text: str) -> str:
    """``text`` as a quoted string."""
    escaped = _CONTROL.sub("\ufffd", text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def of_calls(result: Calls, *, callers: bool) -> Diagram:
    """Arrows lead from who calls to what is called."""
    diagram = Diagram()
    numbers = {symbol["id"]: _symbol(diagram, symbol) for symbol in result["symbols"]}
    for entry in result["entries"]:
        number = _symbol(diagram, entry)
        if entry["id"] is not None:
            numbers.setdefault(entry["id"], number)
        if (other := numbers.get(entry["of"])) is None:  # its file is gone from disk, so it is not in the answer
            continue
        diagram.arrow(*((number, other) if callers else (other, number)), entry["certainty"])
    return diagram


def of_chains(result: Chains) -> Diagram:
    """Arrows lead from the source to the target."""
    diagram = Diagram()
    for chain in result["chains"]:
        numbers = [_symbol(diagram, step) for step in chain]
        for start, end, step in zip(numbers, numbers[1:], chain[1:], strict=False):
            diagram.arrow(start, end, step["certainty"] or "")
    return diagram


def of_imports(result: Imports, *, dependents: bool) -> Diagram:
    """Arrows lead from who imports to what is imported."""
    diagram = Diagram()
    names = {entry["path"]: entry["name"] for entry in result["entries"]}
    for path in result["files"]:
        diagram.node((path, "", 0), names.get(path) or path.rpartition("/")[2])
    for entry in result["entries"]:
        number = diagram.node((entry["path"], "", 0), entry["name"])
        other = diagram.node((entry["of"], "", 0), names.get(entry["of"]) or entry["of"].rpartition("/")[2])
        diagram.arrow(*((number, other) if dependents else (other, number)), entry["certainty"])
    return diagram


def _symbol(diagram: Diagram, symbol: SymbolInfo | Call | ChainStep) -> int:
    place = f"{symbol['path'].rpartition('/')[2]}:{symbol['start_line']}"
    label = symbol["name"] if symbol["kind"] == "file" else f"{symbol['name']} ({place})"
    return diagram.node((symbol["path"], symbol["name"], symbol["start_line"]), label)
