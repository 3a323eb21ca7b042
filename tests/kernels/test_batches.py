from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agentd.kernels.batches import plan_runs

lengths = st.lists(st.integers(1, 600), max_size=60)


@given(lengths, st.integers(1, 2000))
def test_every_text_is_in_one_run(lengths: list[int], budget: int) -> None:
    runs = plan_runs(lengths, budget)
    assert sorted(index for run in runs for index in run) == list(range(len(lengths)))


@given(lengths, st.integers(1, 2000))
def test_a_run_keeps_to_the_budget_and_is_hardly_padded(lengths: list[int], budget: int) -> None:
    for run in plan_runs(lengths, budget):
        inside = [lengths[index] for index in run]
        assert len(run) == 1 or len(run) * max(inside) <= budget
        assert (max(inside) - min(inside)) * 8 <= max(inside)


def test_texts_of_one_length_share_a_run() -> None:
    assert plan_runs([10, 200, 10, 10], 256) == [[0, 2, 3], [1]]
    assert plan_runs([100, 100, 100], 256) == [[0, 1], [2]]
