"""Citation marks, found and taken out."""

from __future__ import annotations

import pytest

from agentd.answer.marks import cited, without_marks


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("a [2] b [1, 3][2].", [2, 1, 3]),
        ("`x[1]` and\n```\ny[2]\n```\nbut [3]", [3]),
        ("[link] [1a] [] [1000]", []),
        ("``x[1] `y[2]` ``, [3]", [3]),
        ("````\n```\nx[1]\n```\n````\n[2]", [2]),
        ("a ` alone [1]", [1]),
    ],
)
def test_numbers_are_found_outside_of_code(text: str, numbers: list[int]) -> None:
    assert cited(text) == numbers


def test_marks_of_what_is_gone_are_taken_out_and_others_stand() -> None:
    assert without_marks("a [1, 2] b [2] `x[2]`.", {2}) == "a [1] b  `x[2]`."
