"""Symbols of a file: nesting, names, signatures, docs and spans."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentd.domain import Symbol, SymbolKind
from agentd.kernels.chunks import Source
from agentd.kernels.code import Code, read_code
from agentd.kernels.parse import read_text
from agentd.kernels.symbols import MAX_NESTING

PYTHON = '''"""Module."""
import os

LIMIT: int = 3
# Where things are kept.
stores = {}
first, second = 1, 2


# Leading comment.
@decorator(
    "argument",
)
class Store(Base):
    """A store.

    It keeps.
    """

    size = 0

    @property
    async def fetch(
        self,
        key: str,
    ) -> "Item":
        """Fetch one."""
        local = 1

        def inner():
            return local

        return inner()

    @fetch.setter
    def fetch(self, value): ...


if TYPE_CHECKING:
    Alias = int
else:

    def main() -> None:
        r"""Do \\d."""
'''


def read(text: str, language: str = "python") -> Code:
    return read_code(Source(text), language)


def by_name(text: str, language: str = "python") -> dict[str, Symbol]:
    return {symbol.qualified: symbol for symbol in read(text, language).symbols}


def test_definitions_of_python_have_kind_place_and_parent() -> None:
    symbols = read(PYTHON).symbols
    assert [(s.kind, s.qualified, s.parent, s.start_line, s.end_line) for s in symbols] == [
        (SymbolKind.CONSTANT, "LIMIT", -1, 4, 4),
        (SymbolKind.VARIABLE, "stores", -1, 5, 6),
        (SymbolKind.VARIABLE, "first", -1, 7, 7),
        (SymbolKind.VARIABLE, "second", -1, 7, 7),
        (SymbolKind.CLASS, "Store", -1, 10, 36),
        (SymbolKind.FIELD, "Store.size", 4, 20, 20),
        (SymbolKind.METHOD, "Store.fetch", 4, 22, 33),
        (SymbolKind.FUNCTION, "Store.fetch.inner", 6, 30, 31),
        (SymbolKind.METHOD, "Store.fetch", 4, 35, 36),
        (SymbolKind.VARIABLE, "Alias", -1, 40, 40),
        (SymbolKind.FUNCTION, "main", -1, 43, 44),
    ]


def test_a_signature_is_the_head_in_one_line() -> None:
    symbols = read(PYTHON).symbols
    assert [symbol.signature for symbol in symbols] == [
        "LIMIT: int = 3",
        "stores = {}",
        "first, second = 1, 2",
        "first, second = 1, 2",
        "class Store(Base)",
        "size = 0",
        'async def fetch( self, key: str, ) -> "Item"',
        "def inner()",
        "def fetch(self, value)",
        "Alias = int",
        "def main() -> None",
    ]


def test_a_docstring_or_else_the_comment_above_is_the_doc() -> None:
    symbols = by_name(PYTHON)
    assert symbols["Store"].doc == "A store.\n\nIt keeps."
    assert symbols["stores"].doc == "Where things are kept."
    assert symbols["main"].doc == "Do \\d."
    assert symbols["Store.size"].doc == ""


@pytest.mark.parametrize(
    ("language", "text", "doc"),
    [
        ("javascript", "/**\n * Fetches.\n *\n * @returns one\n */\nfunction fetch() {}\n", "Fetches.\n\n@returns one"),
        ("javascript", "import x from 'y';\n/* One line. */\nexport const fetch = () => 1;\n", "One line."),
        ("go", "package p\n\n// Fetch one.\n// And more.\nfunc fetch() {}\n", "Fetch one.\nAnd more."),
        ("rust", "/// Fetches.\n#[inline]\n#[cfg(all(\n    unix,\n))]\npub fn fetch() {}\n", "Fetches."),
        ("java", "class A {\n  /** Fetches. */\n  @Override\n  void fetch() {}\n}\n", "Fetches."),
        ("c", "int a; /* not this */\n\n/* Fetches. */\nint fetch(void) { return 1; }\n", "Fetches."),
        ("c", "int a; /* not\n this */\nint fetch(void) { return 1; }\n", ""),
        ("c", "#define A 1\nint fetch(void) { return 1; }\n", ""),
        ("ruby", "# Fetches.\ndef fetch\nend\n", "Fetches."),
        ("bash", "#!/bin/bash\nfetch() { :; }\n", ""),
        ("lua", "--- Fetches.\nlocal function fetch() end\n", "Fetches."),
    ],
)
def test_comments_right_above_are_the_doc_without_their_marks(language: str, text: str, doc: str) -> None:
    fetch = next(symbol for symbol in read(text, language).symbols if symbol.name == "fetch")
    assert fetch.doc == doc


def test_a_comment_after_a_blank_line_belongs_to_nobody() -> None:
    (symbol,) = read("# License.\n\ndef f():\n    pass\n").symbols
    assert (symbol.start_line, symbol.doc) == (3, "")


@pytest.mark.parametrize(
    ("language", "text", "qualified"),
    [
        ("go", "package p\nfunc (s *Server[T]) Serve() {}\n", "Server.Serve"),
        ("rust", "impl<T> fmt::Display for Store<T> {\n    fn fmt(&self) {}\n}\n", "Store.fmt"),
        ("rust", "mod inner {\n    impl Store {\n        fn fetch() {}\n    }\n}\n", "inner.Store.fetch"),
        ("cpp", "int ns::Type::method(int a) { return a; }\n", "ns.Type.method"),
        ("cpp", "namespace ns {\nint Type::method() { return 1; }\n}\n", "ns.Type.method"),
        ("cpp", "template <>\nint fetch<int>(int a) { return a; }\n", "fetch"),
        ("cpp", "class A {\n  bool operator<(const A& o) const { return true; }\n};\n", "A.operator<"),
        ("javascript", "Store.prototype.fetch = function () {};\n", "Store.fetch"),
        ("javascript", "module.exports.fetch = () => 1;\n", "fetch"),
        ("javascript", 'const api = { "get-one": function () {} };\n', "api.get-one"),
        ("typescript", "namespace A.B {\n  export class C { d() {} }\n}\n", "A.B.C.d"),
        ("python", "class Größe:\n    def messen(self): ...\n", "Größe.messen"),
    ],
)
def test_names_are_qualified_with_dots_in_every_language(language: str, text: str, qualified: str) -> None:
    assert qualified in by_name(text, language)


def test_locals_and_parameters_are_no_symbols() -> None:
    text = "def f(parameter):\n    local = 1\n    with open() as name:\n        for each in name: other = each\n"
    assert list(by_name(text)) == ["f"]
    script = "function f(parameter) {\n  const local = 1;\n  let other = parameter;\n}\n"
    assert list(by_name(script, "javascript")) == ["f"]


def test_definitions_of_one_name_all_stay() -> None:
    text = "".join(f"def same():\n    return {number}\n" for number in range(2000))
    symbols = read(text).symbols
    assert len(symbols) == 2000
    assert {symbol.qualified for symbol in symbols} == {"same"}
    assert len({symbol.start_line for symbol in symbols}) == 2000


def test_what_is_nested_too_deep_belongs_to_the_last_that_is_not() -> None:
    depth = MAX_NESTING + 20
    text = "".join(" " * level + f"def f{level}():\n" for level in range(depth)) + " " * depth + "pass\n"
    symbols = read(text).symbols
    assert len(symbols) == depth
    assert {symbol.parent for symbol in symbols[MAX_NESTING:]} == {MAX_NESTING - 1}
    assert max(symbol.qualified.count(".") for symbol in symbols) == MAX_NESTING


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(("encoding", "bom"), [("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe")])
def test_bytes_are_those_of_the_file_on_disk(newline: str, encoding: str, bom: bytes) -> None:
    text = newline.join(["# ä 🎉", "eins = 'ü'", "", "def zwei():", "\tdrei = 'ß'", "\treturn drei", ""])
    data = bom + text.encode(encoding)
    found = read_text(Source(text, encoding, len(bom)), "a.py", "python", 1200)
    spans = [data[symbol.start_byte : symbol.end_byte].decode(encoding) for symbol in found.symbols]
    lines = text.split(newline)
    assert spans == [newline.join(lines[:2]), newline.join(lines[3:6])]


FRAGMENTS = (
    "class A:",
    "  class B(A):",
    "    def f(self): return 1",
    "  def g(self):",
    "    '''Doc.",
    "@decorator",
    "  @decorator(1)",
    "# comment",
    "    # comment",
    "X = Y = 1",
    "x, y = 1, 2",
    "if a:",
    "(((",
    ")",
    "def",
    "ü = 'ß'",
    "",
)


@pytest.mark.parametrize("language", ["python", "javascript", "cpp", "rust"])
@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("\n".join),
        st.lists(
            st.sampled_from((*FRAGMENTS, "class A {", "fn f() {", "/* a", "*/", "}", "impl A {", "const f = () => {")),
            max_size=40,
        ).map("\r\n".join),
        st.text(max_size=200),
    )
)
def test_children_are_within_their_parents_and_in_order(language: str, text: str) -> None:
    text = text.encode(errors="ignore").decode()
    code = read(text, language)
    assert len(code.symbols) == len(code.captures.definitions)
    for ordinal, (symbol, definition) in enumerate(zip(code.symbols, code.captures.definitions, strict=True)):
        assert -1 <= symbol.parent < ordinal
        assert 0 <= symbol.start_byte <= definition.start < symbol.end_byte <= len(code.data)
        assert symbol.start_line - 1 == code.data.count(b"\n", 0, symbol.start_byte)
        assert symbol.qualified.endswith(symbol.name)
        if ordinal:
            assert code.symbols[ordinal - 1].start_byte <= symbol.start_byte
        if symbol.parent >= 0:
            parent = code.symbols[symbol.parent]
            assert parent.start_byte <= symbol.start_byte
            assert symbol.end_byte <= parent.end_byte
            assert parent.start_line <= symbol.start_line <= symbol.end_line <= parent.end_line
