"""What the query of a language finds, and its bounds."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.domain import SymbolKind
from agentd.kernels.chunks import Source
from agentd.kernels.code import read_code
from agentd.kernels.grammars import GRAMMARS
from agentd.kernels.query import FOLDER, MAX_SYMBOLS, MAX_USES, query_text
from agentd.kernels.use_tree import MAX_LEAVES, Leaf, expand

if TYPE_CHECKING:
    from agentd.kernels.captures import Captures


def captured(text: str, language: str = "python") -> Captures:
    return read_code(Source(text), language).captures


@pytest.mark.parametrize("language", GRAMMARS)
def test_every_language_has_a_query_of_known_captures(language: str) -> None:
    kinds = set(re.findall(r"@definition\.(\w+)", query_text(language)))
    assert kinds <= {str(kind) for kind in SymbolKind}
    assert captured("", language).definitions == []


def test_every_query_belongs_to_a_language_or_is_inherited() -> None:
    names = {path.stem for path in FOLDER.glob("*.scm")}
    inherited = {name for path in FOLDER.glob("*.scm") for name in re.findall(r"inherits: (\w+)", path.read_text())}
    assert names == GRAMMARS.keys() | inherited


def test_calls_have_what_they_are_called_on() -> None:
    text = "f(a.b.c(1))\nsuper().m()\n@a.register\n@plain\ndef g(): x[0].h()\n"
    assert [(use.receiver, use.name, use.row) for use in captured(text).calls] == [
        ("", "f", 0),
        ("a.b", "c", 0),
        ("", "super", 1),
        ("super()", "m", 1),
        ("a", "register", 2),
        ("", "plain", 3),
        ("x[0]", "h", 4),
    ]


def test_bases_have_no_type_arguments_and_no_keywords() -> None:
    bases = captured("class A(Base, pkg.mod.Other, Generic[T], metaclass=Meta): ...\n").bases
    assert [(use.receiver, use.name) for use in bases] == [("", "Base"), ("pkg.mod", "Other"), ("", "Generic")]


def test_each_imported_name_is_one_import() -> None:
    text = (
        "import os, a.b as c\nfrom . import x\nfrom ..y import (\n    p as q,\n    r,\n)\nfrom z import *\n"
        "from __future__ import annotations\n"
    )
    assert [entry[:4] for entry in captured(text).imports] == [
        ("os", "", "", False),
        ("a.b", "", "c", False),
        (".", "x", "", False),
        ("..y", "p", "q", False),
        ("..y", "r", "", False),
        ("z", "", "", True),
    ]


def test_variables_of_a_known_type_are_bindings() -> None:
    text = (
        "a: A = b()\nc = pkg.C()\ndef f(d: D, e: E = 1, g=2):\n    self.h = H()\n"
        "    with I() as i: ...\n    if (j := J()): ...\n    k = [1]\n"
    )
    assert [entry[:2] for entry in captured(text).bindings] == [
        ("a", "A"),
        ("c", "pkg.C"),
        ("d", "D"),
        ("e", "E"),
        ("self.h", "H"),
        ("i", "I"),
        ("j", "J"),
    ]


def test_default_named_and_required_imports_of_javascript_are_told_apart() -> None:
    text = (
        'import a, { b as c, d } from "./m";\nimport * as e from "../n";\nimport "side";\n'
        'export { f as g } from "./o";\n'
        'export * from "./p";\nconst h = require("q");\nconst { i, j: k } = require("r");\nconst l = other("s");\n'
    )
    assert [entry[:4] for entry in captured(text, "javascript").imports] == [
        ("./m", "default", "a", False),
        ("./m", "b", "c", False),
        ("./m", "d", "", False),
        ("../n", "", "e", False),
        ("side", "", "", False),
        ("./o", "f", "g", False),
        ("./p", "", "", True),
        ("q", "", "h", False),
        ("r", "i", "", False),
        ("r", "j", "k", False),
    ]


def test_a_large_file_is_queried_though_it_is_read_in_slices() -> None:
    text = "const one = require('m');\n" + "function f() { g(); }\n" * 15_000
    code = read_code(Source(text), "javascript")
    assert len(code.data) > 64 * 1024
    assert code.captures.imports[0].module == "m"
    assert len(code.symbols) == MAX_SYMBOLS
    assert code.notes == ["symbols_cut"]


def test_more_than_the_bound_is_cut_and_said_to_be() -> None:
    captures = captured("f(1)\n" * (MAX_USES + 1))
    assert len(captures.calls) == MAX_USES
    assert captures.notes == ("edges_cut",)


@pytest.mark.parametrize(
    "opening", ["(", "[", "{", "f(", "x[", "x.", "-", "not ", "lambda: ", "{1: ", "f'{", "if x:\n"]
)
def test_hostile_nesting_takes_no_more_than_a_bounded_time(opening: str) -> None:
    began = time.thread_time()
    read_code(Source("x = " + opening * 200_000), "python")
    assert time.thread_time() - began < 8


@pytest.mark.parametrize(("language", "text"), [("javascript", "[" + "," * 300_000 + "]"), ("c", "a " * 300_000)])
def test_endless_siblings_take_no_more_than_a_bounded_time(language: str, text: str) -> None:
    began = time.thread_time()
    read_code(Source(text), language)
    assert time.thread_time() - began < 8


def test_a_tangled_file_has_no_symbols_and_says_so() -> None:
    code = read_code(Source("def f(): pass\n" + "(" * 200_000), "python")
    assert code.symbols == []
    assert code.notes == ["syntax_errors", "symbols_cut", "edges_cut"]


def test_what_stands_before_and_after_an_error_is_found() -> None:
    code = read_code(Source("def a():\n    g(1)\n\ndef broken(:\n    pass\n\ndef b():\n    h(2)\n"), "python")
    assert {symbol.name for symbol in code.symbols} >= {"a", "b"}
    assert {use.name for use in code.captures.calls} >= {"g", "h"}
    assert code.notes == ["syntax_errors"]


def test_functions_are_found_among_macros() -> None:
    text = (
        "#define DECLARE(name) static int name##_init(void)\nDECLARE(first) { return 1; }\n"
        "#ifdef CONFIG_X\nint second(void)\n#else\nint other(void)\n#endif\n{ return 2; }\n"
        "EXPORT_SYMBOL(second);\nstatic inline __attribute__((always_inline)) int third(int a) { return fourth(a); }\n"
        'MODULE_LICENSE("x")\nint fifth(void) { return 5; }\n'
    )
    code = read_code(Source(text), "c")
    assert {symbol.name for symbol in code.symbols} >= {"DECLARE", "third", "fifth"}
    assert "fourth" in {use.name for use in code.captures.calls}


def test_a_tree_of_names_is_expanded() -> None:
    assert expand("a::{self, b::{C as D, e::*}, f /* g, */}") == [
        Leaf("a", "", "", wildcard=False),
        Leaf("a::b", "C", "D", wildcard=False),
        Leaf("a::b::e", "", "", wildcard=True),
        Leaf("a", "f", "", wildcard=False),
    ]


@given(st.text(alphabet="ab:{}, *self/\n", max_size=200))
def test_no_tree_of_names_is_too_odd(text: str) -> None:
    assert len(expand(text)) <= text.count(",") + text.count("}") + 1


def test_a_tree_of_names_is_bounded() -> None:
    assert len(expand("a::{" + "b," * 5000 + "}")) == MAX_LEAVES
    assert expand("a::{" * 5000) == []
