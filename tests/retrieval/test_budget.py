from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.retrieval.budget import estimate_tokens, head_within

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r"))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [  # counted with o200k_base
        ("def get_user_by_id(self, user_id: int) -> User | None:\n    return self.users.get(user_id)", 23),
        ("The daemon keeps a live index of folders and answers searches over one Unix socket.", 15),
        ("    assert response.headers['Content-Type'] == 'application/json; charset=utf-8'\n", 18),
        ("0x7fffffff 1234567890 3.14159265\n" * 8, 152),
    ],
)
def test_an_estimate_is_within_a_half_of_what_a_tokenizer_says(text: str, tokens: int) -> None:
    assert 0.67 * tokens <= estimate_tokens(text) <= 1.5 * tokens


@given(TEXT, TEXT)
def test_more_text_costs_no_less_and_no_more_than_its_lines_apart(upper: str, lower: str) -> None:
    together = estimate_tokens(f"{upper}\n{lower}")
    assert max(estimate_tokens(upper), estimate_tokens(lower)) <= together
    assert together <= estimate_tokens(upper + "\n") + estimate_tokens(lower)


@given(TEXT, st.integers(0, 200))
def test_a_head_is_the_most_whole_lines_that_fit(text: str, tokens: int) -> None:
    head = head_within(text, tokens)
    lines, taken = text.split("\n"), head.split("\n")
    assert lines[: len(taken)] == taken or head == ""
    assert estimate_tokens(head) <= tokens
    if head and len(taken) < len(lines):
        assert estimate_tokens("\n".join(lines[: len(taken) + 1])) > tokens


def test_a_head_of_lines_that_end_in_cr_lf_ends_in_neither() -> None:
    assert head_within("one two\r\nthree four\r\nfive six", 11) == "one two\r\nthree four"
