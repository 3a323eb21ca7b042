from __future__ import annotations

import json
import math
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.eval.measures import ndcg, recall, reciprocal_rank
from benchmarks.eval.sets import find_sets

if TYPE_CHECKING:
    from pathlib import Path

GRADES = {"a": 2, "b": 1, "c": 0}


def test_gain_doubles_with_the_grade_and_is_discounted_by_rank() -> None:
    assert ndcg(["a", "b"], GRADES) == 1.0
    assert ndcg(["b", "x", "a"], GRADES) == pytest.approx((1 + 3 / 2) / (3 + 1 / math.log2(3)))
    assert ndcg(["x"], GRADES) == 0.0
    assert ndcg(["x"] * 10 + ["a"], GRADES) == 0.0


def test_only_what_is_relevant_counts() -> None:
    assert recall(["c", "b"], GRADES) == 0.5
    assert reciprocal_rank(["c", "x", "b"], GRADES) == pytest.approx(1 / 3)
    assert recall([], {}) == ndcg([], {}) == reciprocal_rank([], {}) == 0.0


@given(st.lists(st.sampled_from("abcdef"), unique=True), st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3)))
def test_measures_lie_between_nothing_and_perfection(ranked: list[str], grades: dict[str, int]) -> None:
    for measure in (ndcg, recall, reciprocal_rank):
        assert 0.0 <= measure(ranked, grades) <= 1.0 + 1e-9
    best = sorted(grades, key=lambda item: -grades[item])
    assert ndcg(best, grades) == (pytest.approx(1.0) if any(grades.values()) else 0.0)


def test_an_archive_becomes_a_folder_of_files_with_its_queries(tmp_path: Path) -> None:
    source = tmp_path / "tiny"
    (source / "qrels").mkdir(parents=True)
    documents = [{"_id": "d1", "title": "Herons", "text": "They wade."}, {"_id": "d2", "title": "", "text": "Owls."}]
    (source / "corpus.jsonl").write_text("\n".join(map(json.dumps, documents)))
    queries = [{"_id": "q1", "text": "wading birds"}, {"_id": "q2", "text": "never judged"}]
    (source / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    (source / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\n")
    with tarfile.open(tmp_path / "tiny.tar.xz", "w:xz") as packed:
        packed.add(source, "tiny")
    (work := tmp_path / "work").mkdir()
    (judged,) = find_sets(tmp_path, work)
    assert sorted(file.read_text() for file in judged.folder.iterdir()) == ["Herons\nThey wade.\n", "Owls.\n"]
    assert [(query.text, query.grades) for query in judged.queries] == [("wading birds", {"000000.txt": 1})]


def test_a_folder_without_sets_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no judged sets"):
        find_sets(tmp_path, tmp_path)
