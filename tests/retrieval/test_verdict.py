from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.config.settings import SearchSettings
from agentd.kernels.messages import RankResult
from agentd.retrieval.ranker import Ranking
from agentd.retrieval.results import Mode, SearchQuery
from agentd.retrieval.verdict import Verdict, judge

SETTINGS = SearchSettings(min_relevance=0.2, doubtful_relevance=0.5)
RANKED = [(7, 0.0), (8, -0.4), (9, -3.0)]


def ranking(relevance: float) -> Ranking:
    return Ranking(RANKED, [7, 8, 9], RankResult([3.0, 2.6, 0.0], [], [], [[], [], []], relevance, {}))


def judged(
    relevance: float | None, *, sure: bool = True, min_score: float | None = None, mode: Mode = Mode.FULL
) -> Verdict:
    query = SearchQuery("retry", 10, mode=mode, min_score=min_score)
    return judge(query, None if relevance is None else ranking(relevance), SETTINGS, sure=sure)


def kept(verdict: Verdict) -> list[int]:
    return [chunk for chunk, _ in verdict.kept(RANKED)]


@pytest.mark.parametrize(
    ("relevance", "confidence", "chunks"),
    [
        (0.9, "high", [7, 8, 9]),
        (0.5, "high", [7, 8, 9]),
        (0.49, "low", [7, 8, 9]),
        (0.2, "low", [7, 8, 9]),
        (0.19, "low", []),
    ],
)
def test_the_thresholds_decide_what_is_doubted_and_what_is_left_out(
    relevance: float, confidence: str, chunks: list[int]
) -> None:
    verdict = judged(relevance)
    assert (verdict.confidence, kept(verdict)) == (confidence, chunks)


def test_what_was_left_out_is_said_with_the_way_to_see_it() -> None:
    (said,) = judged(0.07).cut()
    assert said.startswith("nothing relevant: of 3 passages")
    assert "0.07" in said
    assert "min_score 0" in said
    assert judged(0.9).cut() == []


def test_scores_fall_from_the_relevance_with_the_distance_from_the_best() -> None:
    scores = [score for _, score in judged(0.8).kept(RANKED)]
    assert scores == [0.8, round(0.8 * math.exp(-0.4), 4), round(0.8 * math.exp(-3), 4)]


def test_a_bound_of_the_caller_replaces_the_daemons() -> None:
    assert kept(judged(0.05, min_score=0.0)) == [7, 8, 9]
    assert kept(judged(0.8, min_score=0.5)) == [7, 8]
    assert kept(judged(0.8, min_score=0.81)) == []
    assert judged(0.05, min_score=0.0).cut() == []


def test_what_scores_too_little_is_counted() -> None:
    verdict = judged(0.8, min_score=0.5)
    assert verdict.below(RANKED) == 1
    assert verdict.cut(1) == ["1 passages score less than 0.5 (min_score)"]
    assert judged(0.8).below(RANKED) == judged(0.05).below(RANKED) == 0


def test_while_something_is_missing_nothing_is_withheld_and_everything_is_doubtful() -> None:
    verdict = judged(0.01, sure=False)
    assert (verdict.relevance, verdict.confidence, kept(verdict)) == (None, "low", [7, 8, 9])
    assert verdict.kept(RANKED)[0] == (7, 1.0)


def test_without_a_ranking_there_is_nothing_to_judge() -> None:
    for mode in (Mode.KEYWORD, Mode.VECTOR, Mode.FUSION):
        verdict = judged(None, mode=mode)
        assert (verdict.relevance, verdict.confidence, verdict.kept(RANKED)) == (None, None, RANKED)
    assert kept(judged(None, mode=Mode.FUSION, min_score=-1.0)) == [7, 8]


def test_a_ranking_that_failed_leaves_no_scores_that_a_bound_could_mean() -> None:
    assert kept(judged(None, mode=Mode.FULL, min_score=0.5)) == [7, 8, 9]


@given(st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_scores_are_between_0_and_1_and_keep_the_order(relevance: float, bound: float, sure: bool) -> None:  # noqa: FBT001  # given by hypothesis
    scores = [score for _, score in judged(relevance, sure=sure, min_score=bound).kept(RANKED)]
    assert scores == sorted(scores, reverse=True)
    assert all(bound <= score <= 1.0 for score in scores)
