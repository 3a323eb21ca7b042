"""Marks and the sentences that they stand in."""

from __future__ import annotations

import pytest

from agentd.answer.marks import cited, sentences, without_marks


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("a [2] b [1, 3][2].", [2, 1, 3]),
        ("`x[1]` and\n```\ny[2]\n```\nbut [3]", [3]),
        ("[link] [1a] [] [1000]", []),
    ],
)
def test_numbers_are_found_outside_of_code(text: str, numbers: list[int]) -> None:
    assert cited(text) == numbers


def test_marks_of_what_is_gone_are_taken_out_and_others_stand() -> None:
    assert without_marks("a [1, 2] b [2] `x[2]`.", {2}) == "a [1] b  `x[2]`."


def test_each_sentence_has_what_it_cites() -> None:
    text = "It tries `a.B` 3 times [1]. It stops, e.g. On error. [2][3]\n\n- First item [1]\n- Second.\n\n# Heading\n"
    assert [tuple(each) for each in sentences(text)] == [
        ("It tries `a.B` 3 times.", [1]),
        ("It stops, e.g. On error.", [2, 3]),
        ("First item", [1]),
        ("Second.", []),
    ]


def test_code_makes_no_claims() -> None:
    assert sentences("```py\nassert x == 1.\nY.\n```") == []
