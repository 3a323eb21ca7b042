from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ranking.dataset import Gold, Query, RecordedHit, Recording, bucket, read_rows, sample, write_rows
from ranking.logistic import Logistic, fit_logistic, rejected, threshold
from ranking.pairwise import Schedule, fit, gradient, loss, scale_of, swap_gains
from ranking.report import held_out
from ranking.table import Table, ideal_gain, make_table, ordered_pairs
from ranking.training import COMMON, FEWEST, Frame, measures, reranked, train
from ranking.weights_file import read_prior, scaled_to, to_file, write_weights

from agentd.kernels.features import FEATURES
from agentd.kernels.rank import load_weights

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("keyword", "definition", "test")


def recording(number: int, *, corpus: str = "one", kind: str = "question") -> Recording:
    """The gold has the second feature; the first is noise, and tests are never the answer."""
    noise = [bucket(f"{corpus}{number}{each}", 100) / 100 for each in range(8)]
    hits = tuple(
        RecordedHit(
            f"f{each}.py",
            1,
            9,
            2 if each == 5 else 0,
            dict(zip(NAMES, (value, float(each == 5), float(each == 2)), strict=True)),
        )
        for each, value in enumerate(noise)
    )
    return Recording(Query(corpus, "docstring", f"query {number}", (Gold("f5.py", 2, 4),)), kind, hits, {}, hits)


def table_of(count: int) -> Table:
    recordings = [recording(number) for number in range(count)]
    return make_table(recordings, NAMES, [1.0] * count)


def test_a_feature_of_the_answers_gets_the_weight_and_noise_does_not() -> None:
    weights = fit(table_of(60), np.zeros(3), np.array([1.0, 0.0, -1.0]), Schedule())
    assert weights[1] > 1.0
    assert abs(weights[0]) < 0.3 * weights[1]


def test_no_weight_changes_its_sign() -> None:
    weights = fit(table_of(60), np.zeros(3), np.array([1.0, -1.0, -1.0]), Schedule())
    assert weights[1] == 0.0
    assert weights[0] >= 0.0
    assert weights[2] <= 0.0


def test_a_heavy_ridge_keeps_the_prior() -> None:
    prior = np.array([0.7, -0.2, -0.1])
    weights = fit(table_of(60), prior, np.zeros(3), Schedule(ridge=1e4, rate=0.001))
    assert weights == pytest.approx(prior, abs=0.02)


def test_the_prior_is_scaled_the_same_whatever_its_unit() -> None:
    table, prior = table_of(60), np.array([0.5, 0.2, 0.0])
    assert scale_of(table, prior) == pytest.approx(2 * scale_of(table, 2 * prior), rel=0.2)


def test_what_no_query_leads_to_keeps_its_weight() -> None:
    recordings = [recording(number) for number in range(FEWEST)]
    trained = train(recordings, Frame(NAMES, {COMMON: np.array([1.0, 0.0, -0.3])}))
    assert [weights[2] for weights in trained.values()] == pytest.approx([-0.3, -0.3])


def test_nothing_to_order_leaves_the_prior() -> None:
    prior = np.array([0.7, 0.2, -0.1])
    assert fit(make_table([], NAMES, []), prior, np.zeros(3), Schedule()).tolist() == prior.tolist()


def test_the_gradient_is_the_slope_of_the_loss() -> None:
    table, weights = table_of(5), np.array([0.3, 0.1, -0.4])
    pair_weights = swap_gains(table, table.features @ weights)
    step = 1e-6
    slopes = [
        (loss(table, weights + step * axis, pair_weights) - loss(table, weights - step * axis, pair_weights))
        / (2 * step)
        for axis in np.eye(3)
    ]
    assert gradient(table, weights, pair_weights) == pytest.approx(slopes, rel=1e-4, abs=1e-9)


@settings(max_examples=30)
@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6), min_size=1, max_size=4))
def test_pairs_never_leave_their_query_and_ranks_count_from_0_in_each(grades: list[list[int]]) -> None:
    recordings = [
        Recording(
            Query("c", "k", str(number)), "", tuple(RecordedHit("p", 1, 1, grade, {"keyword": grade}) for grade in each)
        )
        for number, each in enumerate(grades)
    ]
    table = make_table(recordings, ["keyword"], [1.0] * len(recordings))
    assert (table.owners[table.better] == table.owners[table.worse]).all()
    assert (table.gains[table.better] > table.gains[table.worse]).all()
    ranks = table.ranks(table.features[:, 0])
    kept = [each for each in grades if len(set(each)) > 1]
    assert sorted(ranks.tolist()) == sorted(rank for each in kept for rank in range(len(each)))
    assert (table.gains[ranks == 0] == [2.0 ** max(each) - 1 for each in kept]).all()


def test_only_the_best_hits_of_a_query_are_worth_bringing_up() -> None:
    assert ordered_pairs(np.array([0, 2, 1, 0])).tolist() == [[1, 1, 1], [0, 2, 3]]
    assert ordered_pairs(np.array([0, 1])).tolist() == [[1], [0]]
    assert ideal_gain(np.array([1, 2, 1])) == 3.0


def test_a_type_with_enough_queries_gets_weights_of_its_own_and_another_the_common_ones() -> None:
    frame = Frame(NAMES, {COMMON: np.array([1.0, 0.0, 0.0])})
    recordings = [recording(number) for number in range(FEWEST)]
    trained = train([*recordings, recording(0, kind="path")], frame)
    assert trained.keys() == {COMMON, "question"}
    assert measures(reranked(recordings[0], trained, NAMES), recordings[0])["MRR@10"] == 1.0


def test_a_corpus_is_judged_with_weights_of_the_others() -> None:
    recordings = [recording(number, corpus=corpus) for corpus in ("one", "two") for number in range(20)]
    frame = Frame(NAMES, {COMMON: np.array([1.0, 0.0, 0.0])})
    scores = held_out(recordings, frame, frame.prior)
    assert len(scores["all"]["after"]) == 40
    mean = {order: np.mean([each["nDCG@10"] for each in found]) for order, found in scores["all"].items()}
    assert mean["after"] == pytest.approx(1.0)
    assert mean["before"] < 0.9


def test_measures_count_spans_by_overlap_and_files_once() -> None:
    query = Query("c", "k", "q", (Gold("a.py", 10, 20),))
    hits = [
        RecordedHit("b.py", 1, 5, 0),
        RecordedHit("b.py", 6, 9, 0),
        RecordedHit("a.py", 1, 5, 1),
        RecordedHit("a.py", 15, 30, 2),
    ]
    found = measures(hits, Recording(query, "", tuple(hits)))
    assert found == {"nDCG@10": pytest.approx(1 / np.log2(3)), "MRR@10": 0.25, "span@5": 1.0}


def test_the_logistic_separates_and_its_chances_mean_what_they_say() -> None:
    evidence = np.linspace(-3, 3, 400).reshape(-1, 1)
    answerable = np.array(
        [float(bucket(str(number), 1000) / 1000 < 1 / (1 + np.exp(-2 * x))) for number, (x,) in enumerate(evidence)]
    )
    model = fit_logistic(evidence, answerable)
    assert model.weights[0] == pytest.approx(2.0, abs=0.5)
    chances = model(evidence)
    floor = threshold(chances, answerable, 0.05)
    assert rejected(chances, answerable, floor) == pytest.approx(0.05, abs=0.01)
    assert rejected(chances, 1 - answerable, floor) > 0.5


def test_one_class_ten_times_as_large_does_not_move_the_even_odds() -> None:
    evidence = np.array([[0.0]] * 10 + [[1.0]] * 100 + [[0.5]] * 22)
    answerable = np.array([0.0] * 10 + [1.0] * 100 + [0.0] * 2 + [1.0] * 20)
    chances = fit_logistic(evidence, answerable)(np.array([[0.5]]))
    assert chances[0] == pytest.approx(0.5, abs=0.05)


def test_the_file_holds_what_each_type_adds_and_the_scorer_reads_the_same_back(tmp_path: Path) -> None:
    common, path = np.zeros(len(FEATURES)), np.zeros(len(FEATURES))
    common[0], path[0], path[1] = 1.23456789, 1.5, -0.25
    weights = to_file({COMMON: common, "path": path}, {"bias": -1.0})
    assert weights.common == {FEATURES[0]: 1.2346}
    write_weights(tmp_path / "weights.json", weights)
    assert load_weights(str(tmp_path / "weights.json")) == weights
    assert read_prior(tmp_path / "weights.json")["path"] == pytest.approx(path, abs=1e-4)
    assert read_prior(tmp_path / "missing.json")[COMMON].sum() == 1.0


def test_the_evidence_is_scaled_so_that_the_thresholds_in_the_settings_hold() -> None:
    model = Logistic(np.array([2.0]), -1.0)
    at_floor, at_doubt = np.array([[0.2]]), np.array([[1.0]])
    scaled = scaled_to(model, ("similarity",), (float(model(at_floor)[0]), 0.2), (float(model(at_doubt)[0]), 0.5))
    after = Logistic(np.array([scaled["similarity"]]), scaled["bias"])
    assert after(at_floor)[0] == pytest.approx(0.2, abs=1e-3)
    assert after(at_doubt)[0] == pytest.approx(0.5, abs=1e-3)


def test_recordings_survive_their_file(tmp_path: Path) -> None:
    rows = [recording(number) for number in range(3)]
    assert write_rows(tmp_path / "rows.jsonl", rows) == 3
    assert [each.query for each in read_rows(tmp_path / "rows.jsonl", Recording)] == [each.query for each in rows]


def test_a_sample_is_the_same_in_every_run_and_in_any_order() -> None:
    words = [f"word{number}" for number in range(100)]
    assert sample(words, 5, str) == sample(reversed(words), 5, str)
    assert sample(words, 5, str) != words[:5]
