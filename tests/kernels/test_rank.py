from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_features import CANDIDATES, TERMS, candidate

from agentd.errors import ConfigError
from agentd.kernels.features import FEATURES, Words
from agentd.kernels.messages import RankCandidate, RankRequest
from agentd.kernels.rank import BIAS, EVIDENCE, Weights, coverage, load_weights, rank, relevance
from agentd.retrieval.analysis import QueryType

if TYPE_CHECKING:
    from pathlib import Path


def weights_file(path: Path, **parts: Any) -> str:
    """A file of weights; what is not given weighs nothing."""
    path.write_text(json.dumps({"common": {}, "types": {}, "relevance": {}} | parts))
    return str(path)


def request(*candidates: RankCandidate, **fields: Any) -> RankRequest:
    return RankRequest(**({"query_type": "question", "terms": [], "candidates": list(candidates)} | fields))


def test_the_packaged_weights_name_types_that_there_are_and_all_evidence() -> None:
    packaged = load_weights("")
    assert set(packaged.types) <= {each.value for each in QueryType}
    assert set(packaged.relevance) == {*EVIDENCE, BIAS}


def test_a_score_is_the_sum_of_features_times_weights(tmp_path: Path) -> None:
    weights = weights_file(tmp_path / "w.json", common={"keyword": 2.0, "test": -0.5}, types={"path": {"keyword": 1.0}})
    candidates = candidate(keyword=3.0, path="tests/a.py"), candidate(keyword=1.5)
    assert rank(request(*candidates, weights=weights)).scores == [1.5, 1.0]
    result = rank(request(*candidates, weights=weights, query_type="path"))
    assert result.scores == [2.5, 1.5]
    assert (result.names, result.weights[FEATURES.index("keyword")]) == (list(FEATURES), 3.0)
    for score, row in zip(result.scores, result.features, strict=True):
        assert score == pytest.approx(sum(a * b for a, b in zip(row, result.weights, strict=True)))


def test_an_unknown_type_has_the_common_weights() -> None:
    common = load_weights("").row("no such type")
    assert common == [load_weights("").common.get(name, 0.0) for name in FEATURES]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        ("", "truncated"),
        ("garbage", "malformed"),
        ("[1, 2]", "object"),
        ('{"common": {}}', "types"),
        ('{"common": {}, "types": {}, "relevance": {}, "more": 1}', "more"),
        ('{"common": {"keyword": "much"}, "types": {}, "relevance": {}}', "keyword|common"),
        ('{"common": {"keyword": 1e999}, "types": {}, "relevance": {}}', "range"),
        ('{"common": {"keyword": 1e308}, "types": {}, "relevance": {}}', "<= 1000000"),
        (" " * (1 << 21), "at most 1,048,576 bytes"),
        ('{"common": {"kyword": 1}, "types": {}, "relevance": {}}', "kyword; known features: keyword, "),
        ('{"common": {}, "types": {"path": {"kyword": 1}}, "relevance": {}}', "kyword"),
        ('{"common": {}, "types": {}, "relevance": {"smilarity": 1}}', "smilarity; known evidence: similarity, "),
    ],
)
def test_a_file_that_is_none_of_weights_is_named_with_what_is_wrong(
    tmp_path: Path, content: str | None, said: str
) -> None:
    path = tmp_path / "weights.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=said) as raised:
        rank(request(weights=str(path)))
    assert str(path) in raised.value.message


def test_a_folder_is_no_file_of_weights(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"docs/ranking\.md"):
        load_weights(str(tmp_path))


def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="found something else"):
        load_weights(str(tmp_path / "pipe"))


def test_a_file_that_was_written_anew_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    assert load_weights(weights_file(path, common={"keyword": 1.0})).common == {"keyword": 1.0}
    os.utime(path, ns=(1, 1))
    assert load_weights(weights_file(path, common={"keyword": 2.0})).common == {"keyword": 2.0}
    path.write_text("broken")
    with pytest.raises(ConfigError):
        load_weights(str(path))
    assert load_weights(weights_file(path, common={"vector": 3.0})).common == {"vector": 3.0}


def test_no_candidates_are_no_answer() -> None:
    result = rank(request(terms=[("cookie", 2.0)]))
    assert (result.scores, result.features) == ([], [])
    assert 0.0 <= result.relevance < 0.5
    assert set(result.evidence) == set(EVIDENCE)


def test_a_file_at_the_path_that_is_the_whole_query_speaks_for_an_answer() -> None:
    there, elsewhere = request(candidate(named_path=1.0), query_type="path"), request(candidate(), query_type="path")
    assert rank(there).evidence["defined"] == 1.0
    assert rank(elsewhere).evidence["defined"] == 0.0
    assert rank(request(candidate(named_path=1.0), query_type="mixed")).evidence["defined"] == 0.0
    assert rank(there).relevance > rank(elsewhere).relevance


def test_evidence_says_what_speaks_for_an_answer() -> None:
    found = rank(
        request(
            candidate(vector=0.8, definition=0.6, text="merging cookies"),
            candidate(vector=0.5, text="cookies"),
            candidate(vector=0.2),
            terms=[("merge", 1.0), ("cookies", 1.0)],
            missing=0.25,
            named=True,
        )
    ).evidence
    assert found == pytest.approx(
        {
            "similarity": 0.8,
            "coverage": 0.75,
            "telling": 1.0,
            "missing": 0.25,
            "length": 0.2,
            "prose": 0.0,
            "defined": 0.6,
            "undefined": 0.0,
            "typed": 0.0,
        }
    )


def test_a_name_that_stands_in_a_text_as_it_was_typed_is_found_there() -> None:
    texts = (candidate(text="something else"), candidate(text="# see E_TIMEOUT_7"))
    terms = [("e_timeout_7", 1.0)]
    found = rank(request(*texts, terms=terms, typed="e_timeout_7"))
    assert found.evidence["typed"] == 1.0
    assert found.relevance > 0.2 > rank(request(*texts, terms=terms)).relevance
    assert rank(request(*texts, terms=terms, typed="e_timeout_8")).evidence["typed"] == 0.0


def test_a_name_that_nothing_defines_is_evidence_only_where_one_was_asked_for() -> None:
    assert rank(request(candidate(), named=True)).evidence["undefined"] == 1.0
    assert rank(request(candidate(), named=False)).evidence["undefined"] == 0.0
    assert rank(request(candidate(definition=0.3), named=False)).evidence["defined"] == 0.0


def test_coverage_is_of_the_candidates_that_came_with_their_text() -> None:
    words = [("merge", 1.0), ("cookies", 3.0)]
    found = coverage([candidate(text="cookie"), candidate(doc="merge")], Words(words))
    assert found == {"coverage": 0.75, "telling": 0.75}
    assert set(coverage([], Words(words)).values()) == {0.0}


def test_the_rarest_words_tell_most() -> None:
    words = Words([("the", 0.1), ("drug", 1.0), ("ivermectin", 5.0), ("treats", 2.0)])
    assert words.telling({"ivermectin", "treat"}) == pytest.approx(7 / 8)
    assert words.telling({"the"}) == 0.0


def test_the_logistic_stays_between_its_bounds() -> None:
    assert relevance({"similarity": 1.0}, {"similarity": 1e300}) == pytest.approx(1.0)
    assert 0.0 < relevance({"similarity": 1.0}, {"similarity": -1e300}) < 1e-9
    assert relevance({}, {}) == 0.5


@given(TERMS, st.lists(CANDIDATES, max_size=6), st.sampled_from(QueryType), st.floats(0, 1))
def test_any_candidates_get_a_score_each_and_the_same_again(
    terms: list[tuple[str, float]], candidates: list[RankCandidate], query_type: str, missing: float
) -> None:
    asked = RankRequest(query_type, terms, candidates, missing=missing, named=missing < 0.5)
    result = rank(asked)
    assert len(result.scores) == len(result.features) == len(candidates)
    assert 0.0 <= result.relevance <= 1.0
    assert all(0.0 <= value <= 1.0 + 1e-9 for value in result.evidence.values())
    assert msgspec.msgpack.encode(rank(asked)) == msgspec.msgpack.encode(result)


WEIGHT = st.floats(-5, 5)


@given(
    st.lists(CANDIDATES, min_size=1, max_size=5),
    st.sampled_from(["definition", "named_path"]),
    st.floats(0, 5),
    st.fixed_dictionaries({"keyword": WEIGHT, "vector": WEIGHT}),
)
def test_more_of_what_counts_for_a_candidate_never_lowers_it(
    candidates: list[RankCandidate], feature: str, weight: float, common: dict[str, float]
) -> None:
    row = Weights({**common, feature: weight}, {}, {}).row("question")
    more = [msgspec.structs.replace(candidates[0], **{feature: 1.0}), *candidates[1:]]
    before, after = (rank(request(*each)).features[0] for each in (candidates, more))
    assert score(after, row) >= score(before, row) - 1e-9


@given(st.dictionaries(st.sampled_from(EVIDENCE), st.floats(0, 1)), st.sampled_from(EVIDENCE), st.floats(0, 10))
def test_more_evidence_never_lowers_the_relevance(found: dict[str, float], name: str, weight: float) -> None:
    weights = {BIAS: -3.0, **dict.fromkeys(EVIDENCE, 1.0), name: weight}
    assert relevance({**found, name: 1.0}, weights) >= relevance(found, weights) - 1e-12


def score(features: list[float], weights: list[float]) -> float:
    return sum(a * b for a, b in zip(features, weights, strict=True))
