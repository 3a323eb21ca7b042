from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from benchmarks.eval.__main__ import evaluate
from benchmarks.eval.compare import most_changed, pair, print_queries, print_sets
from benchmarks.eval.foreign import HIGH, LOW, NOTHING, Asked
from benchmarks.eval.report import groups, mean, print_foreign, print_scores
from benchmarks.eval.results import Results, read_results, write_results
from benchmarks.eval.scoring import Found, Scored, file_scores, hit_scores
from benchmarks.eval.sets import Query, Span, find_sets

if TYPE_CHECKING:
    from pathlib import Path

SPANS = (Span("a.py", 10, 20, 2), Span("b.py", 1, 400, 1))
QUERY = Query("q1", "merge_cookies", "identifier", {"a.py": 2, "b.py": 1}, SPANS)


def hit(path: str, start_line: int, end_line: int) -> Found:
    return Found(path, start_line, end_line)


def scored(number: int, mode: str, value: float, *, name: str = "med", hits: tuple[Found, ...] = ()) -> Scored:
    return Scored(name, "", "all", f"q{number}", f"query {number}", mode, {"nDCG@10": value}, list(hits))


def test_several_hits_of_a_file_take_one_rank() -> None:
    hits = [hit("x.py", 1, 5), hit("x.py", 6, 9), hit("a.py", 30, 40)]
    assert file_scores(hits, QUERY)["MRR@10"] == 0.5
    assert file_scores(hits, QUERY)["Recall@10"] == 0.5


def test_the_first_hit_of_an_identifier_counts_by_file_and_by_span() -> None:
    assert hit_scores([hit("a.py", 30, 40)], QUERY) == {"lines": 11, "span@5": 0, "file hit@1": 1, "span hit@1": 0}
    assert hit_scores([hit("a.py", 20, 40)], QUERY) == {"lines": 21, "span@5": 1, "file hit@1": 1, "span hit@1": 1}
    assert hit_scores([hit("b.py", 1, 9)], QUERY)["file hit@1"] == 0


def test_a_hit_of_a_whole_file_answers_nothing_and_the_sixth_comes_too_late() -> None:
    assert hit_scores([hit("a.py", 1, 200)], QUERY)["span@5"] == 1
    assert hit_scores([hit("a.py", 1, 201)], QUERY)["span@5"] == 0
    assert hit_scores([*[hit("x.py", 1, 2)] * 5, hit("a.py", 10, 20)], QUERY)["span@5"] == 0


def test_no_hits_score_nothing_but_count() -> None:
    assert hit_scores([], QUERY) == {"span@5": 0, "file hit@1": 0, "span hit@1": 0}
    assert file_scores([], QUERY) == {"nDCG@10": 0, "Recall@10": 0, "MRR@10": 0}


def test_a_query_is_in_the_groups_of_its_set_kind_and_package() -> None:
    rows = [Scored("repo_qa", "requests", "docs", "1", "q", "full", {"nDCG@10": 1.0}, [])]
    assert {group for _, group in groups(rows)} == {"all", "docs", "requests"}
    assert mean(rows, "keyword", "nDCG@10") is None


@pytest.mark.parametrize(
    ("full", "says"), [(0.81, "met"), (0.79, "MISSED by 0.010"), (0.80, "below the best of the others")]
)
def test_a_bar_is_met_only_where_no_other_mode_is_better(
    full: float, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_scores([scored(1, "keyword", 0.815), scored(1, "fusion", 0.7), scored(1, "full", full)])
    (row,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("med")]
    assert says in row
    assert f"{full - 0.815:+.3f}" in row


@pytest.mark.parametrize(("lost", "met"), [(1, True), (2, False)])
def test_foreign_questions_must_be_refused_and_own_ones_answered(
    lost: int, *, met: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    own = [Asked("a", "a", "1", "q", "docs", NOTHING if number < lost else HIGH) for number in range(20)]
    foreign = [Asked("b", "a", "2", "q", "docs", NOTHING if number < 14 else LOW) for number in range(20)]
    print_foreign([*own, *foreign])
    *_, row, bar = capsys.readouterr().out.splitlines()
    assert "70.0%" in row
    assert "30.0%" in row
    assert bar.endswith(": met" if met else ": MISSED")


def test_two_runs_are_compared_query_by_query(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = [scored(1, "full", 0.5), scored(2, "full", 0.5, hits=(hit("old.py", 1, 2),)), scored(3, "vector", 0.1)]
    after = [scored(1, "full", 0.6), scored(2, "full", 0.1, hits=(hit("new.py", 3, 4),)), scored(4, "full", 1.0)]
    write_results(tmp_path / "run.json", Results(before))
    changes = pair(read_results(tmp_path / "run.json").scored, after)
    assert [change.after.id for change in changes] == ["q1", "q2"]
    shown = most_changed(changes, "full", "nDCG@10", 1)
    print_sets(changes)
    print_queries(shown, "nDCG@10")
    table, queries = capsys.readouterr().out.split("\n\n")
    assert "-0.150     1     1" in table
    assert queries.startswith("-0.400")
    assert "old.py:1-2" in queries
    assert "new.py:3-4" in queries


def test_sets_that_were_unpacked_once_are_taken_as_they_are(tmp_path: Path) -> None:
    archive_of(tmp_path)
    (judged,) = find_sets(tmp_path, tmp_path / "work")
    (judged.folder / "mark").touch()
    (again,) = find_sets(tmp_path, tmp_path / "work")
    assert (again.folder / "mark").exists()
    assert again.queries == judged.queries


def test_a_set_is_scored_through_the_socket(tmp_path: Path) -> None:
    archive_of(tmp_path)
    sets = find_sets(tmp_path, tmp_path / "work")
    results = evaluate(sets, tmp_path / "state", ["keyword"])
    assert [(each.id, each.mode, each.scores["nDCG@10"]) for each in results.scored] == [("q1", "keyword", 1.0)]
    assert [each.path for each in results.scored[0].hits] == ["000000.txt"]


def archive_of(folder: Path) -> None:
    """A judged set of two documents and one query."""
    source = folder / "birds"
    (source / "qrels").mkdir(parents=True)
    documents = [
        {"_id": "d1", "title": "Herons", "text": "They wade in rivers."},
        {"_id": "d2", "title": "", "text": "Owls."},
    ]
    (source / "corpus.jsonl").write_text("\n".join(map(json.dumps, documents)))
    (source / "queries.jsonl").write_text(json.dumps({"_id": "q1", "text": "herons wade"}))
    (source / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\n")
    with tarfile.open(folder / "birds.tar.xz", "w:xz") as packed:
        packed.add(source, "birds")
