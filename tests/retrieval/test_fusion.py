from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.retrieval.fusion import reciprocal_rank_fusion

RANKINGS = st.lists(st.tuples(st.floats(0.1, 5), st.lists(st.integers(0, 50), unique=True)), max_size=4)


def test_scores_are_the_sum_of_weight_over_k_plus_rank() -> None:
    fused = dict(reciprocal_rank_fusion([(1.0, [7, 8]), (2.0, [8])], k=10))
    assert fused == {7: pytest.approx(1 / 11), 8: pytest.approx(1 / 12 + 2 / 11)}


def test_what_both_lists_hold_comes_before_what_one_holds_at_the_same_rank() -> None:
    assert next(iter(reciprocal_rank_fusion([(1, [1, 2]), (1, [3, 2])], k=10)))[0] == 2


@given(RANKINGS, st.integers(1, 100))
def test_every_id_comes_out_once_best_first(rankings: list[tuple[float, list[int]]], k: int) -> None:
    fused = reciprocal_rank_fusion(rankings, k)
    ids = [identity for identity, _ in fused]
    assert sorted(ids) == sorted({identity for _, some in rankings for identity in some})
    assert [score for _, score in fused] == sorted((score for _, score in fused), reverse=True)


@given(st.lists(st.integers(0, 50), unique=True), st.integers(1, 100))
def test_one_list_keeps_its_order(ids: list[int], k: int) -> None:
    assert [identity for identity, _ in reciprocal_rank_fusion([(1.0, ids)], k)] == ids
