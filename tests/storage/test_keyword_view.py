from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keyword_victim import DOCUMENTS, ROWS, rows_at, word
from structlog.testing import capture_logs

from agentd.errors import InvalidParamsError
from agentd.kernels.tokens import identifier_parts
from agentd.storage.globs import glob_to_tantivy_regex
from agentd.storage.keyword_check import strays
from agentd.storage.keyword_view import IDENTITY, KeywordFilter, KeywordView
from agentd.storage.rows import ViewRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VICTIM = Path(__file__).with_name("keyword_victim.py")


def row(chunk_id: int, text: str, **fields: object) -> ViewRow:
    document_id = fields.pop("document_id", chunk_id)
    base = ViewRow(
        document_id=int(str(document_id)),
        root_id=1,
        path=f"src/f{document_id}.py",
        language="python",
        kind="code",
        chunk_id=chunk_id,
        symbol="",
        context="",
        text=text,
        parts=identifier_parts(text),
    )
    return base._replace(**fields)  # type: ignore[arg-type]  # fields of several types


def found(view: KeywordView, query: str, restriction: KeywordFilter | None = None, limit: int = 50) -> list[int]:
    return [chunk for chunk, _ in view.search(query, restriction or KeywordFilter(), limit)]


def fill(view: KeywordView, *rows: ViewRow, generation: int = 1) -> None:
    view.apply(sorted({each.document_id for each in rows}), rows)
    view.commit(generation)


@pytest.fixture
def view(tmp_path: Path) -> Iterator[KeywordView]:
    opened = KeywordView.open(tmp_path / "keyword", "epoch")
    yield opened
    opened.close()


def test_a_new_view_is_empty_and_says_nothing(tmp_path: Path) -> None:
    with capture_logs() as logs:
        view = KeywordView.open(tmp_path / "keyword", "epoch")
    assert (view.generation, view.count(), found(view, "anything")) == (0, 0, [])
    assert logs == []
    assert (tmp_path / "keyword").stat().st_mode & 0o777 == 0o700
    view.close()


def test_rows_are_found_from_the_commit_on(view: KeywordView) -> None:
    view.apply([1], [row(1, "a heron stands still")])
    assert found(view, "heron") == []
    assert view.generation == 0
    view.commit(42)
    assert found(view, "heron") == [1]
    assert (view.generation, view.count()) == (42, 1)


def test_applying_a_document_again_replaces_all_its_rows(view: KeywordView) -> None:
    fill(view, row(1, "heron", document_id=7), row(2, "heron", document_id=7), row(3, "heron", document_id=8))
    fill(view, row(4, "heron", document_id=7), generation=2)
    assert sorted(found(view, "heron")) == [3, 4]
    view.apply([7, 8], [])
    view.commit(3)
    assert (found(view, "heron"), view.count()) == ([], 0)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("http response", "class HTTPResponse: ..."),
        ("HTTPResponse", "class HTTPResponse: ..."),
        ("get_user_by_id", "def get_user_by_id(): ..."),
        ("user", "def get_user_by_id(): ..."),
        ("decode headers", "it decodes every header"),
        ("Straße", "Die STRASSE und die straße"),
        ("naïve", "a naïve approach"),
    ],
)
def test_words_parts_of_identifiers_and_inflections_are_found(view: KeywordView, query: str, text: str) -> None:
    fill(view, row(1, text), row(2, "nothing of the sort"))
    assert found(view, query) == [1]


def test_a_whole_identifier_outranks_its_parts(view: KeywordView) -> None:
    fill(view, row(1, "get the user and get it by the id, user by user"), row(2, "call get_user_by_id here"))
    assert found(view, "get_user_by_id")[0] == 2


def test_the_definition_outranks_a_mention(view: KeywordView) -> None:
    fill(view, row(1, "parse parse parse the tree"), row(2, "def parse(): tree", symbol="parse"))
    assert found(view, "parse")[0] == 2


def test_context_and_path_are_searched(view: KeywordView) -> None:
    fill(view, row(1, "text", context="Installation > Windows"), row(2, "text", path="docs/tutorial.md"))
    assert found(view, "windows") == [1]
    assert found(view, "tutorial") == [2]


def test_filters_restrict_and_leave_the_scores_alone(view: KeywordView) -> None:
    fill(
        view,
        row(1, "heron", root_id=1, path="src/a.py"),
        row(2, "heron heron", root_id=2, path="src/b.py"),
        row(3, "heron", root_id=1, path="docs/a.md", language="markdown", kind="docs"),
    )
    scores = dict(view.search("heron", KeywordFilter(), 10))
    cases = {
        KeywordFilter(root_ids=(1,)): {1, 3},
        KeywordFilter(root_ids=(1, 2)): {1, 2, 3},
        KeywordFilter(root_ids=(9,)): set(),
        KeywordFilter(languages=("markdown",)): {3},
        KeywordFilter(kinds=("code",)): {1, 2},
        KeywordFilter(path_regexes=("src/.*",)): {1, 2},
        KeywordFilter(path_regexes=("a", "src/b[.]py")): {2},
        KeywordFilter(path_regexes=(glob_to_tantivy_regex("*.md"), glob_to_tantivy_regex("src/a.*"))): {1, 3},
        KeywordFilter(root_ids=(1,), kinds=("code",), path_regexes=("src/.*",), languages=("python", "c")): {1},
    }
    for restriction, expected in cases.items():
        hits = dict(view.search("heron", restriction, 10))
        assert set(hits) == expected, restriction
        assert hits == pytest.approx({chunk: scores[chunk] for chunk in expected})


def test_a_broken_path_pattern_is_the_callers_error(view: KeywordView) -> None:
    fill(view, row(1, "heron"))
    for pattern in ("(", "a{1000}{1000}{1000}", "^src$"):
        with pytest.raises(InvalidParamsError):
            found(view, "heron", KeywordFilter(path_regexes=(pattern,)))


def test_the_limit_is_kept_and_the_best_come_first(view: KeywordView) -> None:
    fill(view, *(row(number, "heron " * number + "filler " * 20) for number in range(1, 21)))
    hits = view.search("heron", KeywordFilter(), 5)
    assert len(hits) == 5
    assert [score for _, score in hits] == sorted((score for _, score in hits), reverse=True)
    assert view.search("heron", KeywordFilter(), 0) == []


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(query=ANY_TEXT | st.sampled_from(['"', "a:b AND (", "*", "\ud800", "\x00", "_", "º", "-", "a^2~3", "//"]))
def test_no_query_breaks_the_search(view: KeywordView, query: str) -> None:
    assert view.search(query, KeywordFilter(languages=(query,)), 3) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(text=ANY_TEXT)
def test_no_text_breaks_the_index(view: KeywordView, text: str) -> None:
    fill(view, row(1, f"{text} heron", symbol=text, context=text, path=text), generation=view.generation + 1)
    assert found(view, "heron") == [1]


def test_a_view_is_as_it_was_committed_when_opened_again(tmp_path: Path) -> None:
    view = KeywordView.open(tmp_path, "epoch")
    fill(view, row(1, "heron"), generation=5)
    view.apply([2], [row(2, "heron")])
    view.close()
    with capture_logs() as logs:
        view = KeywordView.open(tmp_path, "epoch")
    assert (view.generation, found(view, "heron"), logs) == (5, [1], [])
    view.close()


def rebuilt(directory: Path, epoch: str = "epoch") -> bool:
    """Open the view; true if it was made anew, empty and usable, with a warning."""
    with capture_logs() as logs:
        view = KeywordView.open(directory, epoch)
    anew = [log["event"] for log in logs] in (["keyword_view_rebuilt"], ["state_damaged"])
    if anew:
        assert (view.generation, view.count()) == (0, 0)
        fill(view, row(1, "heron"))
        assert found(view, "heron") == [1]
    view.close()
    return anew


def filled(directory: Path) -> Path:
    view = KeywordView.open(directory, "epoch")
    fill(view, *(row(number, f"heron number {number}") for number in range(100)), generation=5)
    fill(view, row(3, "egret"), generation=6)
    view.close()
    return directory


def test_another_epoch_or_a_foreign_folder_is_thrown_away(tmp_path: Path) -> None:
    assert rebuilt(filled(tmp_path / "a"), "another")
    (tmp_path / "b" / "deep").mkdir(parents=True)
    (tmp_path / "b" / "deep" / "file").write_text("what is this?")
    assert rebuilt(tmp_path / "b")
    assert not (tmp_path / "b" / "deep").exists()


def test_every_damaged_file_is_noticed(tmp_path: Path) -> None:
    intact = filled(tmp_path / "intact")
    suffixes = sorted({path.suffix for path in intact.iterdir() if path.stat().st_size} - {".lock"})
    assert {".idx", ".term", ".fast", ".fieldnorm", ".store", ".del", ".json"} <= set(suffixes)
    harms: list[tuple[str, Callable[[Path], object]]] = [(suffix, flip) for suffix in suffixes]
    harms += [(".idx", truncate), (".idx", Path.unlink), (".json", truncate)]
    for number, (suffix, harm) in enumerate(harms):
        directory = shutil.copytree(intact, tmp_path / str(number))
        for path in directory.glob(f"*{suffix}"):
            if path.name != ".managed.json":  # a list of files to clean up, which can do without
                harm(path)
        assert rebuilt(directory), (suffix, harm)
    assert not rebuilt(intact)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 0x10
    path.write_bytes(data)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def test_a_view_half_made_is_made_again(tmp_path: Path) -> None:
    directory = filled(tmp_path / "a")
    (directory / "view.json").unlink()
    assert rebuilt(directory)


def test_what_a_killed_writer_left_is_swept_and_the_rest_stays(tmp_path: Path) -> None:
    view = KeywordView.open(tmp_path, "epoch")
    view.apply([1], rows_at(1))
    view.commit(1)
    view.close()
    committed = set(tmp_path.iterdir())
    for name in (".tmpA1b2C3", "0123456789abcdef0123456789abcdef.term", "view.json.new"):
        (tmp_path / name).write_bytes(b"half written")
    again = KeywordView.open(tmp_path, "epoch")
    assert set(tmp_path.iterdir()) == committed
    assert len(again.search(word(1))) == ROWS
    again.close()


def test_any_history_ends_in_what_a_plain_dictionary_holds(tmp_path: Path) -> None:
    generator = random.Random(3)  # noqa: S311 - repeatable, not secret
    view = KeywordView.open(tmp_path, "epoch")
    pending: dict[int, list[int]] = {}
    committed: dict[int, list[int]] = {}
    generation = chunk = 0
    for _ in range(60):
        action = generator.random()
        if action < 0.6:
            documents = generator.sample(range(12), 3)
            rows = []
            for document in documents:
                pending[document] = list(range(chunk, chunk := chunk + generator.randrange(4)))
                rows += [row(each, "heron", document_id=document) for each in pending[document]]
            view.apply(documents, rows)
        elif action < 0.9:
            generation += 1
            view.commit(generation)
            committed = dict(pending)
        else:
            if action < 0.95:
                view.release()
            else:
                view.close()
                view = KeywordView.open(tmp_path, "epoch")
            pending = dict(committed)
        expected = sorted(each for chunks in committed.values() for each in chunks)
        assert sorted(found(view, "heron", limit=100)) == expected
        assert (view.count(), view.generation) == (len(expected), generation)
    view.close()


def test_many_small_commits_leave_few_segments_and_files(view: KeywordView, tmp_path: Path) -> None:
    for generation in range(1, 26):
        fill(view, row(generation % 9, f"heron {generation}"), generation=generation)
    view.release()
    assert view._searcher.num_segments <= 12
    assert len(list((tmp_path / "keyword").iterdir())) <= 12 * 7 + 6
    assert view.count() == 9


def threads_of_this_process() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def test_release_ends_the_threads_of_the_writer_and_the_view_goes_on(view: KeywordView) -> None:
    fill(view, row(1, "heron"))
    before = threads_of_this_process()
    view.release()
    assert threads_of_this_process() < before
    assert found(view, "heron") == [1]
    fill(view, row(2, "heron"), generation=2)
    assert sorted(found(view, "heron")) == [1, 2]


def test_release_removes_the_files_that_an_overtaken_merge_has_left(view: KeywordView) -> None:
    fill(view, row(1, "kept"))
    (view._directory / "0123456789abcdef0123456789abcdef.term").write_bytes(b"text of rows that were removed")
    view.release()
    assert [path.name for path in strays(view._directory)] == [IDENTITY]
    fill(view, row(2, "kept"), generation=2)
    assert sorted(found(view, "kept")) == [1, 2]


def test_searches_beside_a_writer_see_whole_commits(view: KeywordView) -> None:
    fill(view, *(row(number, "heron", document_id=1) for number in range(10)))
    done = threading.Event()
    seen: set[tuple[int, int]] = set()

    def search() -> None:
        while not done.is_set():
            chunks = found(view, "heron")
            seen.add((len(chunks), len({chunk // 10 for chunk in chunks})))

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for generation in range(1, 9):
        fill(view, *(row(generation * 10 + number, "heron", document_id=1) for number in range(10)))
    done.set()
    for thread in threads:
        thread.join()
    assert seen == {(10, 1)}


def test_kill_at_any_moment_leaves_the_last_commit_whole(tmp_path: Path) -> None:
    generator = random.Random(5)  # noqa: S311 - repeatable, not secret
    last = 0
    for _ in range(4):
        with subprocess.Popen([sys.executable, VICTIM, tmp_path], stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "opened\n"
            lines = generator.randrange(1, 12)
            acknowledged = [int(child.stdout.readline()) for _ in range(lines)]
            threading.Event().wait(generator.random() * 0.02)  # anywhere between two acknowledgements
            child.kill()
            acknowledged += map(int, child.stdout.read().split())
        with capture_logs() as logs:
            view = KeywordView.open(tmp_path, "epoch")
        assert logs == []
        assert view.generation in {acknowledged[-1], acknowledged[-1] + 1}
        assert view.generation > last
        last = view.generation
        current = range(max(1, last - DOCUMENTS + 1), last + 1)
        for generation in current:
            assert sorted(found(view, word(generation))) == [each.chunk_id for each in rows_at(generation)]
        assert view.count() == len(current) * ROWS
        view.close()


FULL_DISK = """
    import resource, sys
    from pathlib import Path
    from agentd.errors import StateUnusableError
    from agentd.storage.keyword_view import KeywordView
    from agentd.storage.rows import ViewRow

    def row(chunk, text):
        return ViewRow(chunk, 1, "a", "", "code", chunk, "", "", text, "")

    view = KeywordView.open(Path(sys.argv[1]), "epoch")
    view.apply([1], [row(1, "heron")])
    view.commit(1)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600, hard))
    for _ in range(3):
        try:
            view.apply([2], [row(2, "heron " + " ".join(f"w{n}" for n in range(9000)))])
            view.commit(2)
        except StateUnusableError as error:
            print(error.kind)
        assert view.generation == 1
        assert [chunk for chunk, _ in view.search("heron")] == [1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    view.commit(2)
    assert [chunk for chunk, _ in view.search("heron")] == [1], "what failed is dropped"
    view.apply([2], [row(2, "heron")])
    view.commit(3)
    view.close()
    view = KeywordView.open(Path(sys.argv[1]), "epoch")
    assert view.generation == 3
    assert sorted(chunk for chunk, _ in view.search("heron")) == [1, 2]
"""


def test_a_full_disk_is_an_error_and_the_view_recovers(tmp_path: Path) -> None:
    script = textwrap.dedent(FULL_DISK)
    child = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=False)
    assert (child.returncode, child.stdout) == (0, "state_unusable\n" * 3), child.stderr
