from __future__ import annotations

import subprocess
from collections import Counter
from textwrap import dedent
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from ranking.candidates import Candidate, Edit, LineMap, edited, first_sentence, plain, without_overlaps, words
from ranking.corpora import Corpus, foreign_queries, functions_corpus, passages_corpus, tree_corpus, write_corpus
from ranking.dataset import Gold, Query
from ranking.documents import document_candidates, sections
from ranking.history import commit_queries
from ranking.python_source import name_candidates, python_candidates
from ranking.record import grade

if TYPE_CHECKING:
    from pathlib import Path

MODULE = dedent('''\
    class Store:
        """Keep rows until they are written."""

        def __init__(self, path):
            """Open the file of the store at a path.

            It is made where it is missing.
            """
            self.path = path
            self.rows = []
            if not path:
                raise ValueError(f"expected a path, found {path!r} instead")

        def flush_all_rows(self):
            # Rows are written in the order in which they came, oldest first.
            for row in self.rows:
                self.write(row)
            return len(self.rows)
    ''')
FUNCTION = dedent('''\
    def flush(rows):
        """Write all rows to the disk at once."""
        for row in rows:
            row.write()
        return rows
    ''')
DOCUMENT = dedent("""\
    Guide
    =====

    Writing rows to disk
    --------------------

    A store keeps rows in memory until somebody flushes them to the disk. Nothing is written
    before that, so a crash loses what was not flushed. Flush often where that matters, and
    seldom where it does not, because each flush waits for the disk to answer.

    .. note:: not prose
    """)


def by_kind(candidates: list[Candidate]) -> dict[str, Candidate]:
    return {each.kind: each for each in candidates}


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 4), st.integers(0, 3)), max_size=6))
def test_every_line_that_is_not_edited_is_found_where_the_map_says(cuts: list[tuple[int, int, int]]) -> None:
    lines = [f"line {number}" for number in range(1, 31)]
    edits = without_overlaps(
        Edit(start, min(30, start + more), tuple(f"new {start}.{each}" for each in range(put)))
        for start, more, put in cuts
    )
    after = edited("".join(f"{line}\n" for line in lines), edits).splitlines()
    moved = LineMap(edits)
    gone = {number for edit in edits for number in range(edit.start_line, edit.end_line + 1)}
    for number in range(1, 31):
        if number not in gone:
            assert after[moved(number) - 1] == f"line {number}"


def test_prose_loses_its_markup_and_ends_with_its_first_sentence() -> None:
    assert plain("See :class:`~a.Session` and [the guide](x.md), *now*.") == "See a.Session and the guide, now."
    assert first_sentence("Return rows. Then stop.\n\nMore.") == "Return rows"
    assert first_sentence("Return rows\n:param x: which") == "Return rows"
    assert words("getUserByID_2") == ["get", "user", "by", "id", "2"]


def test_a_docstring_asks_for_its_function_and_is_cut_from_the_copy() -> None:
    candidates, _ = python_candidates("store.py", MODULE)
    cut = by_kind(candidates)["docstring"]
    assert cut.query == "Open the file of the store at a path"
    assert (cut.start_line, cut.end_line) == (4, 12)
    assert cut.edit is not None
    copy = edited(MODULE, [cut.edit])
    assert "Open the file" not in copy
    compile(copy, "store.py", "exec")


def test_half_of_the_docstrings_keep_what_follows_the_first_paragraph() -> None:
    kept = []
    for number in range(20):
        text = MODULE.replace("Store", f"Store{number}")
        candidates, _ = python_candidates("store.py", text)
        edit = by_kind(candidates)["docstring"].edit
        assert edit is not None
        copy = edited(text, [edit])
        compile(copy, "store.py", "exec")
        kept.append("It is made where it is missing" in copy)
    assert {True, False} == set(kept)


def test_a_comment_asks_for_the_lines_that_follow_it() -> None:
    comment = by_kind(python_candidates("store.py", MODULE)[0])["comment"]
    assert comment.query == "Rows are written in the order in which they came, oldest first"
    assert (comment.start_line, comment.end_line) == (16, 18)
    assert comment.edit == Edit(15, 15)


def test_an_error_asks_for_the_function_that_raises_it() -> None:
    error = by_kind(python_candidates("store.py", MODULE)[0])["error"]
    assert error.query.removeprefix("ValueError: ") == "expected a path, found foo instead"
    assert (error.start_line, error.end_line) == (4, 12)


def test_a_name_that_is_used_is_asked_for_in_several_ways_and_one_defined_twice_in_none() -> None:
    _, defined = python_candidates("store.py", MODULE)
    uses = Counter({"flush_all_rows": 5, "Store": 5})
    asked = by_kind(list(name_candidates(defined, uses)))
    assert asked["words"].query == "flush all rows"
    assert asked["case"].query == "flushAllRows"
    assert "flush_all_rows" in asked["question"].query
    assert asked["identifier"].start_line == 14
    assert not list(name_candidates(defined + defined, uses))
    assert not list(name_candidates(defined, Counter()))


def test_a_file_that_does_not_parse_offers_nothing() -> None:
    assert python_candidates("broken.py", "def (:\n") == ([], [])


def test_a_section_is_asked_for_by_its_heading_and_by_its_first_sentence() -> None:
    found = by_kind(list(document_candidates("guide.rst", DOCUMENT)))
    heading = found.get("heading") or found["heading_kept"]
    assert "writing rows to disk" in heading.query.lower()
    assert heading.end_line == 11
    passage = found["passage"]
    assert passage.query == "A store keeps rows in memory until somebody flushes them to the disk"
    assert passage.edit is not None
    assert "A store keeps" not in edited(DOCUMENT, [passage.edit])
    assert "Nothing is written before that" in edited(DOCUMENT, [passage.edit])


def test_headings_in_a_fence_are_none() -> None:
    lines = ["# One", "text", "```", "# comment", "```", "## Two"]
    assert [(each.title, each.body_line, each.end_line) for each in sections("a.md", lines)] == [
        ("One", 2, 5),
        ("Two", 7, 6),
    ]


def test_gold_lies_where_the_copy_has_it(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "store.py").write_text(MODULE)
    (source / "guide.rst").write_text(DOCUMENT)
    queries = write_corpus(tree_corpus("tree", source), tmp_path / "copy")
    copy = (tmp_path / "copy" / "store.py").read_text().splitlines()
    (comment,) = [query.gold[0] for query in queries if query.kind == "comment"]
    assert copy[comment.start_line - 1].strip() == "for row in self.rows:"
    (docstring,) = [query.gold[0] for query in queries if query.query.startswith("Open the file")]
    assert copy[docstring.start_line - 1].strip() == "def __init__(self, path):"
    assert "instead" in copy[docstring.end_line - 1]
    assert queries == write_corpus(tree_corpus("tree", source), tmp_path / "again")


def test_tests_offer_no_queries_but_stay_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_store.py").write_text(MODULE)
    corpus = tree_corpus("tree", tmp_path)
    assert not corpus.candidates
    assert corpus.texts.keys() == {"tests/test_store.py"}


def test_functions_and_sections_become_files_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "store.py").write_text(FUNCTION)
    (tmp_path / "guide.rst").write_text(DOCUMENT)
    functions = functions_corpus("functions", [tmp_path], 10)
    assert list(functions.texts) == ["00000.py"]
    assert {each.kind for each in functions.candidates} == {"docstring", "keywords"}
    passages = passages_corpus("passages", [tmp_path], 10)
    assert list(passages.texts) == ["00000.txt"]
    assert {(each.path, each.start_line, each.end_line) for each in passages.candidates} == {("00000.txt", 1, 0)}
    (query, *_) = write_corpus(passages, tmp_path / "copy")
    assert grade("00000.txt", 3, 4, query) == 2


def test_a_log_asks_for_the_files_of_its_commits_without_their_tests(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    git("init")
    for name, subject in (("store.py", "Keep rows until they are flushed"), ("gone.py", "Write what is gone later on")):
        (tmp_path / name).write_text(MODULE)
        (tmp_path / "tests").mkdir(exist_ok=True)
        (tmp_path / "tests" / f"test_{name}").write_text(MODULE)
        git("add", ".")
        git("commit", "-m", subject)
    (tmp_path / "gone.py").unlink()
    assert list(commit_queries("log", tmp_path)) == [
        Query("log", "commit", "Keep rows until they are flushed", (Gold("store.py"),))
    ]


def test_queries_are_foreign_where_the_corpus_knows_not_all_of_the_name(tmp_path: Path) -> None:
    folders = {name: tmp_path / name for name in ("one", "two")}
    for folder in folders.values():
        folder.mkdir()
    (folders["one"] / "a.py").write_text("flush_rows = 1\n")
    gold = (Gold("a.py"),)
    queries = [Query("two", "identifier", "flush_rows", gold), Query("two", "identifier", "merge_rows", gold)]
    assert foreign_queries(queries, folders) == [Query("one", "foreign", "merge_rows")]


def test_a_hit_is_graded_by_the_gold_that_it_touches() -> None:
    query = Query("c", "k", "q", (Gold("a.py", 10, 20), Gold("b.py")))
    assert [
        grade("a.py", 20, 30, query),
        grade("a.py", 21, 30, query),
        grade("b.py", 5, 6, query),
        grade("c.py", 1, 1, query),
    ] == [2, 1, 2, 0]


def test_the_same_question_about_two_places_is_not_asked(tmp_path: Path) -> None:
    corpus = Corpus("c", {"a.py": "x\n", "b.py": "x\n"})
    corpus.candidates = [Candidate("error", "expected a thing here", path, 1, 1) for path in corpus.texts]
    assert write_corpus(corpus, tmp_path / "copy") == []
