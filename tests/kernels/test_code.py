"""Each language: a realistic file, the chunks cut small so that every definition stands alone."""

from __future__ import annotations

import itertools
import time
from typing import NamedTuple

import pytest
from chunking import chunk_text

from agentd.kernels.chunks import Source
from agentd.kernels.code import read_code
from agentd.kernels.grammars import GRAMMARS


class Sample(NamedTuple):
    """``first`` maps a symbol to the line on which its first chunk begins, comments and decorators included."""

    text: str
    first: dict[str, int]


SAMPLES = {
    "python": Sample(
        '"""Module."""\nimport os\n\n\n# Leading comment.\n@decorator\nclass Store(Base):\n    """Doc."""\n\n'
        "    async def fetch(self, key):\n        return key + 1\n\n    @property\n    def size(self):\n"
        "        return len(self)\n\n\ndef main() -> None:\n    pass\n",
        {"Store": 5, "Store.fetch": 10, "Store.size": 13, "main": 18},
    ),
    "javascript": Sample(
        'import x from "y";\n\n/** Doc. */\nexport class Store extends Base {\n  #items = [];\n'
        "  fetch = async (key) => {\n    return key + 1;\n  };\n  get size() {\n"
        "    return this.items.length;\n  }\n}\n\n"
        "export const main = () => {\n  return 1;\n};\n\nmodule.exports.helper = function () {\n  return 2;\n};\n",
        {"Store": 3, "Store.#items": 5, "Store.fetch": 6, "Store.size": 9, "main": 14, "helper": 18},
    ),
    "typescript": Sample(
        "interface Item {\n  key: string;\n}\n\n@Injectable()\nexport class Store implements Item {\n"
        '  key = "";\n  fetch(key: string): Item {\n    return { key };\n  }\n}\n\nexport type Keys = keyof Item;\n\n'
        "namespace Tools {\n  export function helper(): void {\n    return undefined;\n  }\n}\n",
        {"Item": 1, "Store": 5, "Store.key": 7, "Store.fetch": 8, "Keys": 13, "Tools": 15, "Tools.helper": 16},
    ),
    "tsx": Sample(
        "export function View(props: Props) {\n  return <div>{props.a}</div>;\n}\n\n"
        "export const Row: FC = () => {\n  return <tr />;\n};\n",
        {"View": 1, "Row": 5},
    ),
    "go": Sample(
        'package store\n\nimport "fmt"\n\n// Store keeps items.\ntype Store struct {\n\titems map[string]int\n}\n\n'
        "// Fetch returns an item.\nfunc (s *Store) Fetch(key string) int {\n\treturn s.items[key]\n}\n\n"
        'func main() {\n\tfmt.Println("a")\n}\n',
        {"Store": 5, "Store.items": 7, "Store.Fetch": 10, "main": 15},
    ),
    "rust": Sample(
        "use std::fmt;\n\n/// Keeps items.\n#[derive(Debug)]\npub struct Store<T> {\n    items: Vec<T>,\n}\n\n"
        "impl<T> Store<T> {\n    /// Fetch one.\n    pub fn fetch(&self, key: usize) -> &T {\n"
        "        &self.items[key]\n    }\n}\n\nmod tests {\n    fn helper() {}\n}\n\n"
        "macro_rules! square {\n    ($x:expr) => { $x * $x };\n}\n",
        {"Store": 3, "Store.items": 6, "Store.fetch": 10, "tests": 16, "square": 20},
    ),
    "java": Sample(
        "package a.b;\n\n/** Doc. */\npublic class Store extends Base {\n    private int size;\n\n    @Override\n"
        "    public int fetch(String key) {\n        return size;\n    }\n\n    Store() {\n"
        "        size = 0;\n    }\n}\n",
        {"Store": 3, "Store.size": 5, "Store.fetch": 7, "Store.Store": 12},
    ),
    "c": Sample(
        "#include <stdio.h>\n\n\n/* A */\nstruct store {\n    int a;\n};\n\ntypedef struct { int x; } point;\n\n"
        "static int *fetch(struct store *s, int key) {\n    return &s->size;\n}\n",
        {"store": 4, "point": 9, "fetch": 11},
    ),
    "cpp": Sample(
        "#include <vector>\nnamespace tools {\n\ntemplate <typename T>\nclass Store : public Base {\n public:\n"
        "  T& fetch(int key) {\n    return items[key];\n  }\n};\n\n}  // namespace tools\n\n"
        "int& tools::Store::other(int key) {\n  return key;\n}\n",
        {"tools": 2, "tools.Store": 4, "tools.Store.fetch": 7, "tools.Store.other": 14},
    ),
    "csharp": Sample(
        "using System;\n\nnamespace Tools {\n    public class Store : Base {\n        public int Size { get; set; }\n\n"
        "        [Test]\n        public int Fetch(string key) {\n            return Size;\n        }\n    }\n}\n",
        {"Store": 4, "Store.Size": 5, "Store.Fetch": 7},
    ),
    "ruby": Sample(
        'require "set"\n\nmodule Tools\n  class Store < Base\n    # Fetch one.\n    def fetch(key)\n'
        "      @items[key]\n    end\n\n    def self.build\n      new\n    end\n  end\nend\n",
        {"Tools": 3, "Tools.Store": 4, "Tools.Store.fetch": 5, "Tools.Store.build": 10},
    ),
    "php": Sample(
        "<?php\nnamespace Tools;\n\nclass Store extends Base {\n    /** Fetch. */\n"
        "    public function fetch(string $key): int {\n        return 1;\n    }\n}\n\n"
        "function helper() {\n    return 2;\n}\n",
        {"Store": 4, "Store.fetch": 5, "helper": 11},
    ),
    "kotlin": Sample(
        "package tools\n\nclass Store(val size: Int) : Base() {\n    /** Fetch. */\n    fun fetch(key: String): Int {\n"
        '        return size\n    }\n}\n\nobject Single {\n    val x = 1\n}\n\nfun main() {\n    println("a")\n}\n',
        {"Store": 3, "Store.fetch": 4, "Single": 10, "main": 14},
    ),
    "swift": Sample(
        "import Foundation\n\nclass Store: Base {\n    var size = 0\n\n    init(size: Int) {\n"
        "        self.size = size\n"
        "    }\n\n    func fetch(key: String) -> Int {\n        return size\n    }\n}\n\nprotocol Keeper {\n"
        "    func more()\n}\n",
        {"Store": 3, "Store.init": 6, "Store.fetch": 10, "Keeper": 15},
    ),
    "scala": Sample(
        "package tools\n\nobject Single {\n  def build(x: Int): Int = {\n    x + 1\n  }\n}\n\n"
        "case class Store(size: Int) extends Base {\n  def fetch(key: String): Int = size + 1\n}\n",
        {"Single": 3, "Single.build": 4, "Store": 9, "Store.fetch": 10},
    ),
    "lua": Sample(
        "local M = {}\n\n-- Fetch one.\nfunction M.fetch(key)\n  return M.items[key]\nend\n\n"
        "function M:size(something, other)\n  return #self.items\nend\n\nlocal function helper()\n  return 1\nend\n",
        {"M": 1, "M.fetch": 3, "M.size": 8, "helper": 12},
    ),
    "bash": Sample(
        '#!/bin/bash\nset -e\n\n# Fetch one.\nfetch() {\n  echo "$1"\n}\n\nfunction helper {\n  return 0\n}\n',
        {"fetch": 4, "helper": 9},
    ),
}


def test_every_grammar_has_a_sample() -> None:
    assert SAMPLES.keys() == GRAMMARS.keys()


@pytest.mark.parametrize("language", SAMPLES)
def test_definitions_are_found_with_their_names_and_lines(language: str) -> None:
    sample = SAMPLES[language]
    chunks, notes = chunk_text(Source(sample.text), language, 40)
    first: dict[str, int] = {}
    for chunk in chunks:
        if chunk.symbol:
            first.setdefault(chunk.symbol, chunk.start_line)
    assert notes == []
    assert first == sample.first


@pytest.mark.parametrize("language", SAMPLES)
def test_a_small_file_is_one_chunk_named_by_its_first_definition(language: str) -> None:
    sample = SAMPLES[language]
    chunks, _ = chunk_text(Source(sample.text), language, 1200)
    assert [chunk.symbol for chunk in chunks] == [next(iter(sample.first))]


METHOD = '    def method_{0}(self):\n        """What it does."""\n' + "        self.value += 1\n" * 30 + "\n"


def test_a_method_that_fits_is_whole_and_knows_its_class() -> None:
    text = "class Large:\n" + "".join(METHOD.format(number) for number in range(4))
    chunks, _ = chunk_text(Source(text), "python", 1200)
    assert [chunk.symbol for chunk in chunks] == [f"Large.method_{number}" for number in range(4)]
    assert [chunk.context for chunk in chunks] == [f"class Large > def method_{number}" for number in range(4)]
    assert all(chunk.text.rstrip().count("self.value") == 30 for chunk in chunks)


def test_short_neighbours_are_merged_and_take_the_first_name() -> None:
    text = "".join(f"def f{number}():\n    return {number}\n\n\n" for number in range(10))
    chunks, _ = chunk_text(Source(text), "python", 200)
    assert [chunk.symbol for chunk in chunks] == ["f0", "f8"]
    assert {chunk.context for chunk in chunks} == {""}


def test_a_function_too_large_is_cut_between_statements_and_keeps_its_name() -> None:
    statement = "    if ready:\n        first = compute(1)\n        second = compute(2)\n"
    chunks, _ = chunk_text(Source("def long():\n" + statement * 40), "python", 600)
    assert len(chunks) > 4
    assert {chunk.symbol for chunk in chunks} == {"long"}
    assert {chunk.context for chunk in chunks} == {"def long"}
    assert all(chunk.text.lstrip().startswith(("def long", "if ready")) for chunk in chunks)


def test_decorators_stay_with_a_definition_that_is_taken_apart() -> None:
    text = "x = 1\n\n\n@first\n@second\nclass Large:\n" + "".join(METHOD.format(number) for number in range(3))
    chunks, _ = chunk_text(Source(text), "python", 1200)
    holder = next(chunk for chunk in chunks if "@first" in chunk.text)
    assert "class Large" in holder.text


def test_syntax_errors_are_noted_and_lose_nothing() -> None:
    text = "def broken(:\n    return 1\n\n\ndef fine():\n    return 2\n"
    chunks, notes = chunk_text(Source(text), "python", 1200)
    assert notes == ["syntax_errors"]
    assert chunks[0].text == text.rstrip("\n")


@pytest.mark.parametrize("opening", ["(", "[", "{", "f(", "[\n", "if x:\n  "])
def test_deep_nesting_is_no_recursion_error(opening: str) -> None:
    text = "x = " + opening * 10_000
    chunks, _ = chunk_text(Source(text), "python", 1200)
    assert sum(len("".join(chunk.text.split())) for chunk in chunks) == len("".join(text.split()))


def test_a_small_file_that_its_grammar_takes_minutes_for_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentd.kernels.code.PARSE_SECONDS", 0.2)
    began = time.thread_time()
    assert read_code(Source("/** " * 5000), "go").notes == ["parse_timeout"]
    assert time.thread_time() - began < 2.0


def test_a_minified_script_is_cut_into_pieces_of_its_line() -> None:
    chunks, _ = chunk_text(Source("!function(){" + "var a=1;b(a);" * 5000 + "}();"), "javascript", 1200)
    assert {(chunk.start_line, chunk.end_line) for chunk in chunks} == {(1, 1)}
    assert max(len(chunk.text) for chunk in chunks) <= 1200


def test_binary_garbage_read_as_text_is_still_cut() -> None:
    garbage = bytes(range(9, 256)).decode("latin-1") * 200
    chunks, notes = chunk_text(Source(garbage, "latin-1"), "python", 1200)
    assert "".join("".join(chunk.text.split()) for chunk in chunks) == "".join(garbage.split())
    assert notes == ["syntax_errors"]


def test_a_chunk_names_every_definition_that_begins_in_it_and_how_their_docs_begin() -> None:
    text = (
        "LIMIT = 3\n\n\nclass Store:\n    '''Keeps items.\n\n    At length.\n    '''\n\n    size = 0\n\n"
        "    def fetch(self):\n        '''Fetch one.'''\n\n\ndef main():\n    pass\n"
    )
    (chunk,), _ = chunk_text(Source(text), "python", 1200)
    assert chunk.names == "LIMIT Store Store.size Store.fetch main"
    assert chunk.doc == "Keeps items. Fetch one."
    assert chunk.symbol == "Store"


def test_functions_are_named_before_constants_where_there_are_too_many() -> None:
    text = "".join(f"A{number} = 1\n" for number in range(40)) + "def last(): pass\n"
    (chunk,), _ = chunk_text(Source(text), "python", 1200)
    names = chunk.names.split()
    assert len(names) == 24
    assert names[-1] == "last"
    assert names[0] == "A0"


def test_every_definition_is_named_by_one_chunk() -> None:
    text = "".join(f"class C{a}:\n" + "".join(METHOD.format(f"{a}_{b}") for b in range(5)) for a in range(20))
    chunks, _ = chunk_text(Source(text), "python", 700)
    names = [name for chunk in chunks for name in chunk.names.split()]
    assert len(names) == len(set(names)) == 20 * 6


def test_later_pieces_of_a_function_say_what_it_does() -> None:
    body = "".join(f"    step_{number} = compute(step_{number})\n" for number in range(100))
    chunks, _ = chunk_text(Source(f"def long():\n    '''Does it all. And more.'''\n{body}"), "python", 600)
    assert chunks[0].context == "def long"
    assert {chunk.context for chunk in chunks[1:]} == {"def long > Does it all."}
    assert [chunk.names for chunk in chunks] == ["long"] + [""] * (len(chunks) - 1)


def test_what_a_large_class_holds_between_its_methods_says_what_it_is() -> None:
    methods = [METHOD.format(number) for number in range(3)]
    table = "    table = [\n" + "        'an entry of the table',\n" * 30 + "    ]\n\n"
    text = "class Large:\n    '''Is large.'''\n\n" + table.join(methods)
    chunks, _ = chunk_text(Source(text), "python", 1200)
    held = [chunk for chunk in chunks if chunk.symbol == "Large.table"]
    assert len(held) == 2
    assert {chunk.context for chunk in held} == {"class Large > table"}


def test_a_constant_table_is_found_by_its_name() -> None:
    text = "import os\n\n\nTABLE = {\n" + "".join(f"    'key {n}': 'a value',\n" for n in range(80)) + "}\n"
    chunks, _ = chunk_text(Source(text), "python", 600)
    assert {chunk.symbol for chunk in chunks} == {"TABLE"}
    assert chunks[0].names == "TABLE"


def test_members_of_an_impl_know_their_type() -> None:
    body = "        step();\n" * 60
    text = f"impl Store {{\n    fn fetch(&self) {{\n{body}    }}\n\n    fn other(&self) {{\n{body}    }}\n}}\n"
    chunks, _ = chunk_text(Source(text), "rust", 1200)
    assert [chunk.context for chunk in chunks] == ["Store > fn fetch", "Store > fn other"]


def test_twenty_thousand_lines_are_cut_in_order() -> None:
    text = "".join(f"def f{n}(x):\n    '''What number {n} of them does.'''\n    return x\n\n" for n in range(5000))
    chunks, notes = chunk_text(Source(text), "python", 1200)
    assert notes == []
    assert sum(len(chunk.names.split()) for chunk in chunks) == 5000
    assert all(before.end_line < after.start_line for before, after in itertools.pairwise(chunks))
