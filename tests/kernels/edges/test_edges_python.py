"""Python, from hand-made records: what each use is said to lead to."""

from __future__ import annotations

import pytest

from agentd.domain import Certainty, Edge, EdgeKind, Symbol, SymbolKind
from agentd.kernels.captures import Binding, Captures, Import, Use
from agentd.kernels.edges import edges

METHOD, CLASS, FUNCTION = SymbolKind.METHOD, SymbolKind.CLASS, SymbolKind.FUNCTION


def symbol(kind: SymbolKind, qualified: str, span: tuple[int, int], parent: int = -1, signature: str = "") -> Symbol:
    name = qualified.rpartition(".")[2]
    return Symbol(kind, name, qualified, parent, signature, "", 1, 1, *span)


SYMBOLS = [
    symbol(CLASS, "Adapter", (100, 200)),  # 0
    symbol(METHOD, "Adapter.send", (110, 190), 0),  # 1
    symbol(CLASS, "Session", (200, 600)),  # 2: has a base
    symbol(METHOD, "Session.__init__", (210, 300), 2),  # 3
    symbol(METHOD, "Session.get", (300, 400), 2, "def get(self) -> Adapter"),  # 4
    symbol(FUNCTION, "Session.get.inner", (350, 390), 4),  # 5
    symbol(METHOD, "Session.request", (400, 600), 2),  # 6
    symbol(FUNCTION, "helper", (700, 800), signature="def helper(x) -> 'Session':"),  # 7
    symbol(FUNCTION, "request", (800, 900)),  # 8
]
IMPORTS = [
    Import("numpy", "", "np", wildcard=False, start=0, row=0),
    Import("os.path", "", "", wildcard=False, start=0, row=1),
    Import(".models", "Response", "", wildcard=False, start=0, row=2),
    Import("..", "util", "u", wildcard=False, start=0, row=3),
    Import("__future__", "annotations", "", wildcard=False, start=0, row=4),
    Import("a.b", "", "", wildcard=True, start=0, row=5),
    Import("inside", "only", "", wildcard=False, start=310, row=6),
]
BINDINGS = [
    Binding("self.adapter", "Adapter", 220),
    Binding("session", "t.Optional[Session]", 410),
    Binding("session", "Response", 500),
    Binding("factory", "type[Adapter]", 411),
    Binding("made", "helper", 412),
    Binding("text", "str", 413),
]
PATH = "src/pkg/sub/mod.py"


def places(name: str, receiver: str, at: int) -> list[tuple[int, str, str, Certainty]]:
    captures = Captures([], [Use(name, receiver, at, 9)], [Use("Mixin", "", 201, 8)], IMPORTS, BINDINGS)
    found = [edge for edge in edges(PATH, "python", captures, SYMBOLS) if edge.kind is EdgeKind.CALLS]
    return [(edge.target, edge.module, edge.path, edge.certainty) for edge in found]


E, I, N = Certainty.EXACT, Certainty.IMPORT, Certainty.NAME  # noqa: E741  # a table of one letter each


@pytest.mark.parametrize(
    ("use", "at", "expected"),
    [
        ("helper", 420, (7, "", "", E)),
        ("request", 420, (8, "", "", E)),  # the class body is not visible from its methods
        ("inner", 310, (5, "", "", E)),
        ("inner", 420, (-1, "", "", N)),
        ("unknown", 420, (-1, "", "", N)),
        ("Response", 420, (-1, "models/sub/pkg/src//", "Response", I)),
        ("Response.build", 420, (-1, "models/sub/pkg/src//", "Response.build", I)),
        ("np.array", 420, (-1, "numpy/", "array", I)),
        ("np.linalg.norm", 420, (-1, "numpy/", "linalg.norm", I)),
        ("os.path.join", 420, (-1, "path/os/", "join", I)),
        ("u.f", 420, (-1, "pkg/src//", "util.f", I)),
        ("only", 320, (-1, "inside/", "only", I)),
        ("only", 420, (-1, "", "", N)),  # imported in another function
        ("self.get", 420, (4, "", "", E)),
        ("cls.get", 420, (4, "", "", E)),
        ("self.get", 360, (4, "", "", E)),  # from a function in a method
        ("self.inherited", 420, (2, "", "inherited", I)),
        ("super().get", 420, (2, "", "get", I)),
        ("super(Session, self).get", 420, (2, "", "get", I)),
        ("self.adapter.send", 420, (1, "", "", E)),
        ("self.unknown.send", 420, (-1, "", "", N)),
        ("self.get().send", 420, (1, "", "", E)),
        ("Session.get", 750, (4, "", "", E)),
        ("Adapter.missing", 750, (-1, "", "", N)),
        ("Adapter().send", 750, (1, "", "", E)),
        ("helper(1, f(2)).get", 750, (4, "", "", E)),
        ("session.get", 420, (4, "", "", E)),
        ("session.get", 520, (-1, "models/sub/pkg/src//", "Response.get", I)),  # the nearest binding before it
        ("session.get", 750, (-1, "", "", N)),  # a variable of another function
        ("factory", 420, (0, "", "", E)),
        ("made.get", 420, (4, "", "", E)),
        ("rows[0].get", 420, (-1, "", "", N)),
    ],
)
def test_a_call_leads_where_the_file_says(use: str, at: int, expected: tuple[int, str, str, Certainty]) -> None:
    receiver, _, name = use.rpartition(".")
    assert places(name, receiver, at) == [expected]


@pytest.mark.parametrize(
    "use", ["len", "print", "'a'.join", "text.join", "x.startswith", "[1].append", "f'{x}'.format", "session"]
)
def test_builtins_literals_and_instances_that_are_called_lead_nowhere(use: str) -> None:
    receiver, _, name = use.rpartition(".")
    assert places(name, receiver, 420) == []


def test_imports_say_what_they_bind_and_where_it_is() -> None:
    found = edges(PATH, "python", Captures([], [], [], IMPORTS, []), SYMBOLS)
    assert found == [
        Edge(source, EdgeKind.IMPORTS, name, line, -1, module, path, Certainty.IMPORT)
        for source, name, line, module, path in [
            (-1, "np", 1, "numpy/", ""),
            (-1, "os.path", 2, "path/os/", ""),
            (-1, "Response", 3, "models/sub/pkg/src//", "Response"),
            (-1, "u", 4, "pkg/src//", "util"),
            (-1, "*", 6, "b/a/", ""),
            (4, "only", 7, "inside/", "only"),
        ]
    ]


def test_bases_are_seen_from_around_the_class() -> None:
    spans = [("Error", (5, 50), -1), ("Error.Deep", (10, 40), 0), ("Deep", (60, 90), -1)]
    symbols = [symbol(CLASS, qualified, span, parent) for qualified, span, parent in spans]
    bases = [Use("mod.Error", "", 6, 0), Use("Exception", "", 7, 0), Use("Deep", "", 12, 1), Use("Deep", "", 61, 2)]
    imports = [
        Import("x.mod", "", "mod", wildcard=False, start=0, row=0),
        Import("y", "Deep", "", wildcard=False, start=0, row=0),
    ]
    found = edges("m.py", "python", Captures([], [], bases, imports, []), symbols)
    assert [(e.source, e.name, e.target, e.module, e.path) for e in found if e.kind is EdgeKind.INHERITS] == [
        (0, "Error", -1, "mod/x/", "Error"),
        (1, "Deep", 2, "", ""),
        (2, "Deep", -1, "y/", "Deep"),
    ]


def test_equal_calls_of_one_symbol_are_one_edge_at_the_first_line() -> None:
    calls = [Use("send", "a", 120, 3), Use("send", "a", 130, 4), Use("send", "b", 140, 5), Use("send", "a", 310, 6)]
    found = edges(PATH, "python", Captures([], calls, [], [], []), SYMBOLS)
    assert [(edge.source, edge.line) for edge in found] == [(1, 4), (4, 7)]


def test_a_parameter_of_the_constructor_types_the_field_of_its_name() -> None:
    call = Use("send", "self.adapter", 420, 9)
    captures = Captures([], [call], [], [], [Binding("adapter", "Adapter", 215)])
    assert [edge.target for edge in edges(PATH, "python", captures, SYMBOLS)] == [1]


def test_calling_an_attribute_that_holds_a_class_constructs_it() -> None:
    field = SymbolKind.FIELD
    symbols = [*SYMBOLS[:2], symbol(CLASS, "App", (200, 600)), symbol(field, "App.adapter_class", (210, 240), 2)]
    calls = [Use("adapter_class", "self", 420, 9), Use("other_class", "self", 430, 9)]
    typed = Captures([], calls, [], [], [Binding("adapter_class", "type[Adapter]", 210)])
    assert [edge.target for edge in edges(PATH, "python", typed, symbols)] == [0, -1]
    untyped = typed._replace(bindings=[])
    assert [edge.target for edge in edges(PATH, "python", untyped, symbols)] == [3, -1]
