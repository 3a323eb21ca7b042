"""Whatever a query captured: edges are made without an error, and point at what is there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agentd.domain import EdgeKind, Symbol, SymbolKind
from agentd.kernels.captures import Binding, Captures, Import, Use
from agentd.kernels.edges import edges, module_key
from agentd.kernels.edges.modules import IMPORTABLE
from agentd.kernels.edges.rules import rules_of
from agentd.kernels.edges.scopes import Scopes

NAMES = st.sampled_from(["a", "b", "self", "this", "super()", "Self", "a.b", "a()", "self.a", "$a", "@b", "A::b", ""])
TEXTS = st.one_of(NAMES, st.text(st.characters(exclude_characters="\0"), max_size=8))  # no name holds a NUL
PLACES = st.integers(0, 200)
LANGUAGES = st.sampled_from([*sorted(IMPORTABLE), "cobol"])

SYMBOLS = st.lists(
    st.builds(
        lambda kind, name, qualified, parent, signature, start, length: Symbol(
            kind, name, qualified, parent, signature, "", 1, 1, start, start + length
        ),
        st.sampled_from(SymbolKind),
        NAMES,
        NAMES,
        st.integers(-1, 6),
        st.sampled_from(["", "def a() -> a:", "a(): b", "func a() *A::b"]),
        PLACES,
        PLACES,
    ),
    max_size=6,
).map(lambda symbols: sorted(symbols, key=lambda symbol: (symbol.start_byte, -symbol.end_byte)))
USES = st.lists(st.builds(Use, TEXTS, TEXTS, PLACES, PLACES, TEXTS), max_size=6)
CAPTURES = st.builds(
    Captures,
    st.just([]),
    USES,
    USES,
    st.lists(st.builds(Import, TEXTS, TEXTS, TEXTS, st.booleans(), PLACES, PLACES), max_size=6),
    st.lists(st.builds(Binding, TEXTS, TEXTS, PLACES), max_size=6),
)


@given(LANGUAGES, CAPTURES, SYMBOLS)
def test_every_edge_has_a_source_and_a_target_that_are_there(
    language: str, captures: Captures, symbols: list[Symbol]
) -> None:
    for edge in edges("src/a/b.x", language, captures, symbols):
        assert -1 <= edge.source < len(symbols)
        assert -1 <= edge.target < len(symbols)
        assert edge.target < 0 or not edge.module
        assert "\0" not in edge.path
        assert edge.line >= 1
        assert edge.kind is not EdgeKind.INHERITS or edge.source >= 0


@given(st.lists(st.text("ab_-.", min_size=1), min_size=1).map("/".join), LANGUAGES)
def test_a_key_ends_at_the_root_and_nowhere_else(path: str, language: str) -> None:
    key = module_key(path, language)
    assert (key == "") == (language == "cobol")
    assert f"/{key}".count("//") == (language != "cobol")
    assert not key or f"/{key}".endswith("//")


@given(st.lists(st.tuples(PLACES, PLACES)), st.lists(PLACES).map(sorted))
def test_the_innermost_symbol_is_found_among_nested_ones(spans: list[tuple[int, int]], starts: list[int]) -> None:
    nested: list[tuple[int, int]] = []
    for begin, length in sorted(spans, key=lambda span: (span[0], -span[1])):
        around = [end for _, end in nested if end > begin]
        nested.append((begin, min([begin + length, *around])))
    nested.sort(key=lambda span: (span[0], -span[1]))
    symbols = [Symbol(SymbolKind.CLASS, "x", "x", -1, "", "", 1, 1, begin, end) for begin, end in nested]
    expected = [
        max((number for number, (begin, end) in enumerate(nested) if begin <= start < end), default=-1)
        for start in starts
    ]
    assert Scopes(symbols, rules_of("python")).enclosing(starts) == expected


def test_scopes_without_end_cost_no_more_than_deep_ones() -> None:
    depth = 2000
    symbols = [
        Symbol(
            SymbolKind.FUNCTION, "f", ".".join(["f"] * min(number + 1, 99)), number - 1, "", "", 1, 1, number, 99_999
        )
        for number in range(depth)
    ]
    calls = [Use("g", "x", number, number) for number in range(depth)]
    assert len(edges("a.js", "javascript", Captures([], calls, [], [], []), symbols)) == depth
