from __future__ import annotations

import time
from hashlib import blake2b
from typing import TYPE_CHECKING

import pytest
from chunking import chunk_text
from hypothesis import given, settings
from hypothesis import strategies as st

from agentd.kernels.chunks import HARD_FACTOR, MAX_CHUNKS, Block, Source, split

if TYPE_CHECKING:
    from agentd.domain import Chunk

LINE_BASED = ("text", "markdown", "restructuredtext", "python", "javascript", "yaml", "gettext")

FRAGMENTS = (
    "",
    "   ",
    "# Title",
    "## Part",
    "Title",
    "=====",
    "-----",
    "~~~~~",
    "```python",
    "```",
    "| a | b |",
    "- item",
    "    indented text",
    ".. note::",
    ".. code-block:: python",
    "See::",
    "class A(B):",
    "    def method(self, x):",
    "        return [x, (1, 2), {'a': 1}]",
    "@decorator",
    "def f():",
    '    """Doc',
    '    """',
    "function f(a) { return a; }",
    "const g = () => {",
    "};",
    "(" * 30,
    "x = 1; y = 2",
    "// a comment",
    "# a comment",
    "é ü 漢字 🎉",
    "a\x0bb\x0cc\u2028d\x85e",
    "word " * 60,
    "z" * 700,
    "\ttab",
    "carriage\rreturn",
    'msgid "a"',
)

texts = st.one_of(
    st.text(max_size=600),
    st.lists(st.sampled_from(FRAGMENTS), max_size=80).map("\n".join),
    st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("\r\n".join),
    st.lists(st.sampled_from(FRAGMENTS), max_size=40).map(lambda lines: "\n".join(lines) + "\n"),
)


def check_line_based(text: str, encoding: str, bom: bytes, chunks: list[Chunk], limit: int) -> None:
    data = bom + text.encode(encoding)
    lines = text.split("\n")
    seen: set[int] = set()
    end_byte = end_line = 0
    for chunk in chunks:
        assert chunk.text.strip(), "a chunk of nothing"
        assert data[chunk.start_byte : chunk.end_byte].decode(encoding) == chunk.text
        assert len(chunk.text) <= HARD_FACTOR * limit
        assert chunk.start_byte >= end_byte
        assert chunk.start_line >= end_line
        end_byte, end_line = chunk.end_byte, chunk.end_line
        covered = lines[chunk.start_line - 1 : chunk.end_line]
        assert chunk.text in "\n".join(covered)
        if chunk.start_line < chunk.end_line:
            assert chunk.text.rstrip("\r") == "\n".join(covered).rstrip("\r"), "not whole lines"
        seen.update(range(chunk.start_line, chunk.end_line + 1))
        digest = blake2b(chunk.embedding_text.encode(), digest_size=16).digest()
        assert chunk.text_hash == digest
    missing = [number for number, line in enumerate(lines, 1) if line.strip() and number not in seen]
    assert not missing
    assert "".join("".join(chunk.text.split()) for chunk in chunks) == "".join(text.split())


@pytest.mark.parametrize("language", LINE_BASED)
@settings(max_examples=60, deadline=None)
@given(text=texts, limit=st.sampled_from((200, 300, 1200)))
def test_chunks_are_exact_spans_that_cover_every_line_that_is_not_blank(language: str, text: str, limit: int) -> None:
    chunks, _ = chunk_text(Source(text), language, limit)
    check_line_based(text, "utf-8", b"", chunks, limit)


@pytest.mark.parametrize(
    ("encoding", "bom"),
    [("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"), ("cp1252", b"")],
)
@settings(max_examples=30, deadline=None)
@given(text=texts)
def test_byte_spans_are_those_of_the_file_on_disk(encoding: str, bom: bytes, text: str) -> None:
    text = text.encode(encoding, errors="ignore").decode(encoding)
    chunks, _ = chunk_text(Source(text, encoding, len(bom)), "markdown", 200)
    check_line_based(text, encoding, bom, chunks, 200)


@pytest.mark.parametrize("text", ["", "\n", "\n\n  \n\t\n", "\r\n\r\n"])
@pytest.mark.parametrize("language", [*LINE_BASED, "html"])
def test_a_file_of_blank_lines_has_no_chunks(text: str, language: str) -> None:
    assert chunk_text(Source(text), language, 1200)[0] == []


def test_a_missing_last_newline_changes_nothing() -> None:
    with_newline, _ = chunk_text(Source("def f():\n    pass\n"), "python", 1200)
    without, _ = chunk_text(Source("def f():\n    pass"), "python", 1200)
    assert with_newline == without


def test_lines_end_at_newline_alone() -> None:
    assert len(Source("a\rb\x0bc\u2028d\ne\r\nf").lines) == 3


def test_paragraphs_stay_whole_and_fill_a_chunk() -> None:
    paragraph = "A sentence of some words that is a line of its own.\n" * 6
    chunks, _ = chunk_text(Source("\n".join([paragraph] * 9)), "text", 1200)
    assert [(chunk.start_line, chunk.end_line) for chunk in chunks] == [(1, 20), (22, 41), (43, 62)]


def test_a_long_line_is_cut_by_characters_with_one_line_number() -> None:
    text = "first\n" + "ü" * 5000 + "\nlast\n"
    chunks, _ = chunk_text(Source(text), "text", 1000)
    check_line_based(text, "utf-8", b"", chunks, 1000)
    assert {(chunk.start_line, chunk.end_line) for chunk in chunks if "ü" in chunk.text} == {(2, 2)}
    assert max(len(chunk.text) for chunk in chunks) <= 1000


def test_a_long_line_of_words_is_cut_between_words() -> None:
    chunks, _ = chunk_text(Source("word " * 2000), "text", 1200)
    assert all(chunk.text.endswith("word ") for chunk in chunks[:-1])


def test_twenty_thousand_lines_stay_bounded() -> None:
    text = "".join(f"key_{number}: value {number}\n" for number in range(20_000))
    chunks, _ = chunk_text(Source(text), "yaml", 1200)
    check_line_based(text, "utf-8", b"", chunks, 1200)
    assert len(chunks) < len(text) / 1200 * 1.3


def test_one_chunk_beyond_the_bound_says_that_there_were_more() -> None:
    source = Source("word\n" * 10_000)
    assert len(split(source, Block(0, len(source.lines)), 5)) == MAX_CHUNKS + 1


HOSTILE = {
    ("python", "parentheses"): "(" * 1_000_000,
    ("python", "brackets on lines"): "[\n" * 400_000,
    ("python", "adornments"): "====\n" * 200_000,
    ("text", "one long word"): "a" * 2_000_000,
    ("text", "deep indent"): "\n".join(" " * (number % 900) + "x" for number in range(3000)),
    ("markdown", "spaces"): " " * 2_000_000 + "x",
    ("markdown", "hashes"): "# " * 700_000,
    ("markdown", "links in a title"): "# " + "[a](" * 400_000,
    ("markdown", "titles"): "a\n====\n" * 50_000,
    ("markdown", "quoted fence"): "> " * 700_000 + "```",
    ("restructuredtext", "titles"): "a\n====\n\n" * 50_000,
    ("restructuredtext", "deep indent"): "\n\n".join(" " * (number % 900) + "x" for number in range(3000)),
    ("html", "tags"): "<a " * 600_000,
    ("html", "open comments"): "<!-- " * 400_000,
    ("html", "nested"): "<div>" * 100_000 + "x",
}


@pytest.mark.parametrize(("language", "name"), HOSTILE)
def test_hostile_input_takes_bounded_time(language: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentd.kernels.html.PARSE_SECONDS", 0.5)
    began = time.process_time()
    chunk_text(Source(HOSTILE[language, name]), language, 1200)
    assert time.process_time() - began < 3
