from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.kernels.tokens import identifier_parts
from agentd.storage.keyword_terms import MAX_TERMS, build_analyzer, encodable, indexed, query_stems

SAMPLES = ["HTTPResponse(user_id)", "os.path.join", "größteZahl x2", "snake_case-kebab", "中文搜索", "हिन्दी शब्द"]


def stems(text: str) -> list[str]:
    return build_analyzer().analyze(indexed(text))


def test_words_come_as_stems_and_the_parts_of_each_different_identifier_follow() -> None:
    assert stems("return HTTPResponses(user_ids, user_ids)")[:4] == ["return", "httprespons", "userºid", "userºid"]
    assert sorted(stems("return HTTPResponses(user_ids, user_ids)")[4:]) == ["http", "id", "respons", "user"]


def test_parts_that_are_at_hand_are_taken() -> None:
    assert indexed("userId", "user Id") == indexed("userId") == "userId\nuser Id"
    assert indexed("userId", "") == "userId"


def test_a_query_leaves_stop_words_out_unless_there_is_nothing_else() -> None:
    assert query_stems(build_analyzer(), "how are the responses encoded") == ["respons", "encod"]
    assert query_stems(build_analyzer(), "to be") == ["to", "be"]


@pytest.mark.parametrize("text", SAMPLES)
def test_every_term_of_a_query_is_among_the_terms_of_the_same_text(text: str) -> None:
    assert query_stems(build_analyzer(), text)
    assert set(query_stems(build_analyzer(), text)) <= set(stems(text))


def test_a_query_has_a_bounded_number_of_terms() -> None:
    assert len(query_stems(build_analyzer(), " ".join(f"word{number}" for number in range(5000)))) == MAX_TERMS


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_a_text_finds_itself(text: str) -> None:
    assert set(query_stems(build_analyzer(), text)) <= set(stems(text))


def test_runs_of_data_are_left_out() -> None:
    assert stems("a" * 5000 + " word") == ["word"]


def test_lone_surrogates_are_replaced() -> None:
    assert encodable("a\udc80b").encode()
    assert identifier_parts("a\udc80b_c") == "a b c" or identifier_parts("a\udc80b_c")
