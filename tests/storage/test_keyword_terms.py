from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.storage.keyword_terms import REMEMBERED, Terms, encodable


def test_words_come_as_stems_each_followed_by_its_parts() -> None:
    assert Terms().of_text("return HTTPResponses(user_ids)") == "return httprespons http respons userºid user id"


def test_a_query_leaves_stop_words_out_unless_there_is_nothing_else() -> None:
    assert Terms().of_query("how are the responses encoded") == ["respons", "encod"]
    assert Terms().of_query("to be") == ["to", "be"]


SAMPLES = ["HTTPResponse(user_id)", "os.path.join", "größteZahl x2", "snake_case-kebab", "中文搜索"]


@pytest.mark.parametrize("text", SAMPLES)
def test_every_term_of_a_query_is_among_the_terms_of_the_same_text(text: str) -> None:
    terms = Terms()
    assert set(terms.of_query(text)) <= set(terms.of_text(text).split())
    assert terms.of_query(text)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_a_text_finds_itself(text: str) -> None:
    terms = Terms()
    assert set(terms.of_query(text)) <= set(terms.of_text(text).split())


def test_what_is_remembered_is_bounded() -> None:
    terms = Terms()
    terms.of_text(" ".join(f"w{number}" for number in range(REMEMBERED + 10)))
    assert len(terms) <= REMEMBERED


def test_runs_of_data_are_left_out() -> None:
    assert Terms().of_text("a" * 5000 + " word") == " word"


def test_lone_surrogates_are_replaced() -> None:
    assert encodable("a\udc80b").encode()
