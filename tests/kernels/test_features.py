from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.domain import Kind
from agentd.kernels.features import FEATURES, Words, features, stem_of, stems_of
from agentd.kernels.messages import RankCandidate, RankRequest
from agentd.kernels.roles import Role


def candidate(**fields: Any) -> RankCandidate:
    base: dict[str, Any] = {"document": 1, "path": "src/a.py", "language": "python", "kind": Kind.CODE, "start_line": 9}
    base |= {"names": "", "context": "", "doc": "", "keyword": 0.0, "vector": 0.0, "fusion": 0.0}
    return RankCandidate(**(base | fields))


def rows(*candidates: RankCandidate, **terms: float) -> list[dict[str, float]]:
    """The features by name of each candidate, for a query of ``terms``."""
    request = RankRequest("question", list(terms.items()), list(candidates))
    return [dict(zip(FEATURES, row, strict=True)) for row in features(request, Words(request.terms))]


def test_every_role_but_source_is_a_feature() -> None:
    assert len(set(FEATURES)) == len(FEATURES)
    assert {role.value for role in Role} - set(FEATURES) == {"source"}


def test_scores_of_the_lists_are_relative_to_the_best() -> None:
    first, second = rows(candidate(keyword=8.0, vector=0.6, fusion=0.2), candidate(keyword=2.0, vector=0.3, fusion=0.1))
    assert (first["keyword"], first["vector"], first["fusion"]) == (1.0, 1.0, 1.0)
    assert (second["keyword"], second["vector"], second["fusion"]) == (0.25, 0.5, 0.5)
    assert (first["similarity"], second["similarity"]) == (0.6, 0.3)


def test_the_share_of_the_query_counts_words_by_how_rare_they_are() -> None:
    (row,) = rows(candidate(doc="Merges cookies", context="Session > the"), the=1.0, cookie=3.0, merge=4.0, session=2.0)
    assert row["doc"] == pytest.approx(0.7)
    assert row["context"] == pytest.approx(0.3)


def test_the_best_name_is_the_one_that_says_most_of_the_query_and_little_else() -> None:
    (row,) = rows(
        candidate(names="Session.close Session.merge_cookies merge_cookies_of_all_sessions"), merge=1.0, cookie=1.0
    )
    assert (row["name"], row["name_precision"]) == (1.0, 1.0)
    (none,) = rows(candidate(names="Session.close"), session=1.0)
    assert (none["name"], none["name_precision"]) == (0.0, 0.0)


def test_words_of_the_path_count() -> None:
    (row,) = rows(candidate(path="src/http/cookie_jar.py"), cookies=1.0, redirect=1.0)
    assert row["path"] == 0.5


def test_a_file_with_another_good_passage_is_about_it() -> None:
    found = rows(
        candidate(document=1, fusion=1.0),
        candidate(document=1, fusion=0.4),
        candidate(document=1, fusion=0.1),
        candidate(document=2, fusion=0.4),
    )
    assert [row["file"] for row in found] == pytest.approx([0.4, 1.0, 1.3, 0.0])


def test_kind_place_and_role_of_the_file() -> None:
    (row,) = rows(
        candidate(path="tests/README.md", kind=Kind.DOCS, start_line=1, links=9, definition=0.3, named_path=0.8)
    )
    assert (row["docs"], row["data"], row["opening"], row["test"], row["stub"]) == (1.0, 0.0, 1.0, 1.0, 0.0)
    assert (row["links"], row["definition"], row["named_path"]) == (1.0, 0.3, 0.8)
    (data,) = rows(candidate(path="a.json", kind=Kind.DATA))
    assert (data["data"], data["docs"], data["opening"]) == (1.0, 0.0, 0.0)


def test_without_candidates_or_words_there_is_nothing_to_fail_on() -> None:
    assert rows() == []
    (row,) = rows(candidate())
    assert {name for name, value in row.items() if value} == set()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cookies", "cookie"),
        ("merging", "merge"),
        ("merged", "merges"),
        ("Serialization", "serialize"),
        ("parsers", "parse"),
        ("matches", "match"),
        ("boxes", "box"),
        ("queries", "query"),
    ],
)
def test_forms_of_a_word_have_one_stem(one: str, other: str) -> None:
    assert stem_of(one) == stem_of(other)


def test_different_words_and_short_ones_keep_apart() -> None:
    assert stem_of("class") != stem_of("clear")
    assert [stem_of(word) for word in ("is", "as", "bus", "red", "the")] == ["is", "as", "bus", "red", "the"]


def test_words_within_identifiers_are_found() -> None:
    assert stems_of("getHTTPResponse_v2 Straße 会话") == {
        stem_of(w) for w in ("get", "http", "response", "v", "2", "会话")
    } | {stem_of(word) for word in ("Stra", "ß", "e")}


TEXT = st.text(max_size=40) | st.text(alphabet="get_User.Cookie ", max_size=40)
CANDIDATES = st.builds(
    candidate,
    document=st.integers(0, 3),
    path=TEXT,
    kind=st.sampled_from(Kind),
    start_line=st.integers(1, 3),
    names=TEXT,
    context=TEXT,
    doc=TEXT,
    keyword=st.floats(0, 100),
    vector=st.floats(-1, 1),
    fusion=st.floats(0, 1),
    definition=st.floats(0, 1),
    named_path=st.floats(0, 1),
    links=st.integers(0, 100),
)
TERMS = st.lists(st.tuples(TEXT, st.floats(0, 20)), max_size=5)


@given(TERMS, st.lists(CANDIDATES, max_size=6))
def test_features_are_numbers_that_compare(terms: list[tuple[str, float]], candidates: list[RankCandidate]) -> None:
    request = RankRequest("question", terms, candidates)
    for row in features(request, Words(terms)):
        named = dict(zip(FEATURES, row, strict=True))
        assert 0.0 <= named.pop("file") <= 2.0 + 1e-9
        assert all(0.0 <= value <= 1.0 + 1e-9 for value in named.values()), named


@given(TERMS, TEXT, TEXT)
def test_more_text_holds_no_less_of_the_query(terms: list[tuple[str, float]], text: str, more: str) -> None:
    words = Words(terms)
    assert words.share(text) <= words.share(f"{text} {more}") + 1e-9


NAMES = st.lists(st.sampled_from(("get_user", "Store.getUsers", "a.b.Users", "HTTPUser.x", "ß.Ünder", "..", "_")))


@given(TERMS | st.lists(st.tuples(st.sampled_from(("users", "get", "http", "ünder")), st.floats(0, 20))), NAMES)
def test_names_share_with_the_query_what_their_stems_do(terms: list[tuple[str, float]], names: list[str]) -> None:
    words = Words(terms)
    share, precision = words.best_name(" ".join(names))
    pairs = [(words.weight(stems_of(name)), _precision(words, name)) for name in names]
    assert share * precision == pytest.approx(max((a * b for a, b in pairs), default=0.0))
    for name in names:
        assert words.share(name) == pytest.approx(words.weight(stems_of(name)))


def _precision(words: Words, name: str) -> float:
    last = stems_of(name.rpartition(".")[2])
    return len(words.found(name.rpartition(".")[2])) / len(last) if last else 0.0
