"""Sentences of answers as models write them: marks before and after the stop, lists, tables, code, abbreviations."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.answer.sentences import sentences
from agentd.kernels.sentences import pieces

PARTS = [
    "A dot. ",
    "e.g. ",
    "\n",
    "\n\n",
    "- ",
    "1. ",
    "# ",
    "| a | b |\n",
    "```\n",
    "`a. B` ",
    "[1] ",
    "word ",
    "It is [2]. ",
]


@given(st.lists(st.sampled_from(PARTS) | st.text(max_size=5), max_size=30).map("".join))
def test_the_pieces_of_a_text_joined_are_the_text(text: str) -> None:
    found = pieces(text)
    assert "".join(found) == text
    assert all(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One [1]. Two [2][3].", [("One.", [1]), ("Two.", [2, 3])]),
        ("One. [1] Two. [2, 3]", [("One.", [1]), ("Two.", [2, 3])]),
        ("It waits, e.g. For a lock [1]. Done.", [("It waits, e.g. For a lock.", [1]), ("Done.", [])]),
        ("`Session.get` calls it. `x.Y` too [1].", [("`Session.get` calls it.", []), ("`x.Y` too.", [1])]),
        ("- First [1]\n- Second [2]\n1. Third [3]", [("First", [1]), ("Second", [2]), ("Third", [3])]),
        ("| Name | Value |\n|---|---|\n| limit | 5 [1] |", [("Name, Value", []), ("limit, 5", [1])]),
        ("# Heading\nIt is so [1].", [("It is so.", [1])]),
        ("Before [1].\n\n```py\nx = a[2]. B\n```\nAfter [3].", [("Before.", [1]), ("After.", [3])]),
        ("Version 3.2 is out [1].", [("Version 3.2 is out.", [1])]),
        ("", []),
    ],
)
def test_each_sentence_has_what_it_cites(text: str, expected: list[tuple[str, list[int]]]) -> None:
    assert [tuple(sentence) for sentence in sentences(text)] == expected


def test_list_items_and_headings_end_sentences() -> None:
    text = "It tries `a.B` 3 times [1]. It stops, e.g. On error. [2][3]\n\n- First item [1]\n- Second.\n\n# Heading\n"
    assert [tuple(each) for each in sentences(text)] == [
        ("It tries `a.B` 3 times.", [1]),
        ("It stops, e.g. On error.", [2, 3]),
        ("First item", [1]),
        ("Second.", []),
    ]


def test_code_makes_no_claims() -> None:
    assert sentences("```py\nassert x == 1.\nY.\n```") == []


@pytest.mark.parametrize(
    "hostile", ["A. " * 5000, "e.g. A " * 2000, "`" * 16_000, "~" * 16_000, "[1" * 8000, "| " * 8000, "\n \t" * 5000]
)
def test_no_text_keeps_the_loop_busy(hostile: str) -> None:
    began = time.process_time()
    sentences(hostile)
    assert time.process_time() - began < 0.5  # some 20 ms; what grows with the square of the text takes seconds
