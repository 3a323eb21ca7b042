from __future__ import annotations

import random
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from vector_victim import DIMENSION as VICTIM_DIMENSION
from vector_victim import codes_of

from agentd.kernels.quantise import quantise
from agentd.storage import vector_table, vector_view
from agentd.storage.vector_view import VectorView

if TYPE_CHECKING:
    from collections.abc import Iterator

VICTIM = Path(__file__).with_name("vector_victim.py")
DIMENSION = 32

Floats = npt.NDArray[np.float32]


def unit(generator: np.random.Generator, count: int, dimension: int = DIMENSION) -> Floats:
    vectors = generator.normal(size=(count, dimension)).astype(np.float32)
    unit_vectors: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit_vectors


def fill(view: VectorView, vectors: Floats, first: int = 1, documents: int = 10, root: int = 1) -> None:
    """Chunks ``first``, ``first + 1``, ..., of which every ``documents`` are in one document."""
    codes, scales = quantise(vectors)
    ids = np.arange(first, first + len(vectors), dtype=np.uint64)
    view.add(ids, ids // np.uint64(documents), np.full(len(ids), root), codes, scales)


def search(view: VectorView, vector: Floats, limit: int = 10, **allowed: npt.ArrayLike) -> list[tuple[int, float]]:
    codes, scales = quantise(vector[None, :])
    return view.search(codes.tobytes(), float(scales[0]), limit, **allowed)


def assert_hits(hits: list[tuple[int, float]], expected: dict[int, float], within: float = 0.01) -> None:
    """The chunks, in this order, with about these cosines."""
    assert chunks(hits) == list(expected)
    assert [score for _, score in hits] == pytest.approx(list(expected.values()), abs=within)


def chunks(hits: list[tuple[int, float]]) -> list[int]:
    return [chunk for chunk, _ in hits]


def open_view(directory: Path) -> VectorView:
    return VectorView.open(directory, "epoch", "space", DIMENSION)


@pytest.fixture
def view(tmp_path: Path) -> Iterator[VectorView]:
    opened = open_view(tmp_path / "vectors")
    yield opened
    opened.close()


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(7)


def test_a_new_view_is_empty_and_says_nothing(tmp_path: Path, generator: np.random.Generator) -> None:
    with capture_logs() as logs:
        view = open_view(tmp_path / "vectors")
    assert (view.count, view.generation, view.chunk_ids().tolist(), logs) == (0, 0, [], [])
    assert search(view, unit(generator, 1)[0]) == []
    view.close()


def test_cosines_are_those_of_the_vectors(view: VectorView, generator: np.random.Generator) -> None:
    vectors, query = unit(generator, 500), unit(generator, 1)[0]
    fill(view, vectors)
    exact = vectors @ query
    hits = search(view, query, 20)
    assert [score for _, score in hits] == sorted((score for _, score in hits), reverse=True)
    for chunk, score in hits:
        assert score == pytest.approx(exact[chunk - 1], abs=0.01)
    assert_hits(search(view, vectors[123], 1), {124: 1.0})


def test_the_scale_of_a_row_decides_and_not_its_codes_alone(view: VectorView) -> None:
    """The trap: int8 codes without their scales put a long row before the nearer one."""
    near, far = np.zeros(DIMENSION, np.int8), np.zeros(DIMENSION, np.int8)
    near[0], near[1] = 127, 0
    far[:] = 127
    scales = [1 / 127, 1 / (127 * DIMENSION**0.5)]
    view.add([1, 2], [1, 1], [1, 1], np.stack([far, near]), scales[::-1])
    query = np.zeros(DIMENSION, np.int8)
    query[:2] = (100, 90)
    norm = float(np.linalg.norm(query.astype(np.float64)))
    assert int(far.astype(int) @ query) > int(near.astype(int) @ query)
    hits = view.search(query.tobytes(), 1 / norm, 2)
    assert_hits(hits, {2: 100 / norm, 1: 190 / norm / DIMENSION**0.5}, within=1e-4)


def test_a_chunk_that_is_added_again_is_replaced(view: VectorView, generator: np.random.Generator) -> None:
    first, second = unit(generator, 2)
    fill(view, first[None])
    fill(view, second[None])
    assert view.count == 1
    assert_hits(search(view, second), {1: 1.0})
    # Twice in one batch: the last one holds.
    codes, scales = quantise(np.stack([second, first]))
    view.add([5, 5], [1, 1], [1, 1], codes.tobytes(), scales)
    assert view.chunk_ids().tolist() == [1, 5]
    assert_hits(search(view, first, 1), {5: 1.0})


def test_lengths_and_dimensions_that_do_not_fit_are_refused(view: VectorView) -> None:
    with pytest.raises(ValueError, match="expected 2 of each"):
        view.add([1], [1], [1], bytes(2 * DIMENSION), [1.0])
    with pytest.raises(ValueError, match="reshape"):
        view.add([1], [1], [1], bytes(DIMENSION + 1), [1.0])
    assert view.count == 0
    view.add([], [], [], b"", [])
    fill(view, np.ones((1, DIMENSION), np.float32))
    with pytest.raises(ValueError, match="reshape"):
        view.search(bytes(DIMENSION - 1), 1.0, 1)


def test_filters_allow_documents_and_roots(view: VectorView, generator: np.random.Generator) -> None:
    vectors = unit(generator, 300)
    fill(view, vectors[:200])
    fill(view, vectors[200:], first=201, root=2)
    query = unit(generator, 1)[0]
    order = (np.argsort(-(vectors @ query)) + 1).tolist()
    everything = chunks(search(view, query, 300))
    assert set(everything) == set(order)
    cases: list[tuple[dict[str, npt.ArrayLike], set[int]]] = [
        ({"allowed_roots": (2,)}, set(range(201, 301))),
        ({"allowed_documents": np.array([3, 25], np.uint64)}, {*range(30, 40), *range(250, 260)}),
        ({"allowed_documents": [3, 25], "allowed_roots": [2]}, set(range(250, 260))),
        ({"allowed_documents": [10**12, 4]}, set(range(40, 50))),
        ({"allowed_documents": []}, set()),
        ({"allowed_roots": [77]}, set()),
    ]
    for allowed, expected in cases:
        assert chunks(search(view, query, 300, **allowed)) == [each for each in everything if each in expected]


def test_removal_by_chunk_by_document_and_by_what_is_left(view: VectorView, generator: np.random.Generator) -> None:
    vectors = unit(generator, 60)
    fill(view, vectors)
    assert view.remove([1, 1, 2, 999]) == 2
    assert view.remove([1]) == 0
    assert view.remove_documents([1, 77]) == 10
    assert view.retain(2, [20, 25, 31]) == 8
    assert view.retain(2, [20, 25]) == 0
    left = [*range(3, 10), 20, 25, *range(30, 61)]
    assert view.chunk_ids().tolist() == left
    assert view.count == len(left)
    assert set(chunks(search(view, vectors[0], 100))) == set(left)


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(st.integers(1, 40), max_size=12)),
        st.tuples(st.just("remove"), st.lists(st.integers(1, 40), max_size=6)),
        st.tuples(st.just("remove_documents"), st.lists(st.integers(0, 10), max_size=3)),
        st.tuples(st.just("retain"), st.lists(st.integers(1, 40), min_size=1, max_size=6)),
        st.tuples(st.just("save"), st.just([])),
        st.tuples(st.just("reopen"), st.just([])),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(operations=OPERATIONS, seed=st.integers(0, 2**32 - 1))
def test_any_history_ends_in_what_a_plain_dictionary_holds(
    operations: list[tuple[str, list[int]]], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("view")
    generator = np.random.default_rng(seed)
    model: dict[int, Floats] = {}
    saved: dict[int, Floats] = {}
    generation = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vector_view, "COMPACT_ROWS", 5)
        patch.setattr(vector_table, "BITS_FROM", 30)
        view = open_view(directory)
        for action, ids in operations:
            match action:
                case "add":
                    vectors = unit(generator, len(ids))
                    codes, scales = quantise(vectors)
                    view.add(ids, np.array(ids, np.uint64) // np.uint64(4), [1] * len(ids), codes, scales)
                    model.update(zip(ids, vectors, strict=True))
                case "remove":
                    assert view.remove(ids) == len({each for each in ids if model.pop(each, None) is not None})
                case "remove_documents":
                    gone = [each for each in model if each // 4 in ids]
                    assert view.remove_documents(ids) == len(gone)
                    model = {each: vector for each, vector in model.items() if each not in gone}
                case "retain":
                    gone = [each for each in model if each // 4 == ids[0] // 4 and each not in ids]
                    assert view.retain(ids[0] // 4, ids) == len(gone)
                    model = {each: vector for each, vector in model.items() if each not in gone}
                case "save":
                    generation += 1
                    view.save(generation)
                    saved = dict(model)
                case _:
                    view.close()
                    view = open_view(directory)
                    model = dict(saved)
            assert_holds(view, model, generation)
        view.close()


def assert_holds(view: VectorView, model: dict[int, Floats], generation: int) -> None:
    assert view.chunk_ids().tolist() == sorted(model)
    assert (view.count, view.generation) == (len(model), generation)
    for chunk, vector in list(model.items())[:3]:
        assert_hits(search(view, vector, 1), {chunk: 1.0}, within=0.02)


def clustered(generator: np.random.Generator, centres: Floats, count: int) -> Floats:
    vectors = centres[generator.integers(0, len(centres), count)] + 0.7 * unit(generator, count, centres.shape[1])
    unit_vectors: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit_vectors


def recall(view: VectorView, vectors: Floats, queries: Floats, **allowed: npt.ArrayLike) -> float:
    best = np.argsort(-(queries @ vectors.T), axis=1)[:, :10] + 1
    found = [set(chunks(search(view, query, 10, **allowed))) for query in queries]
    return float(np.mean([len(each & set(right.tolist())) / 10 for each, right in zip(found, best, strict=True)]))


def test_bits_then_codes_find_what_an_exact_search_finds(
    tmp_path: Path, generator: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    centres = unit(generator, 60, 384)
    vectors, queries = clustered(generator, centres, 12_000), clustered(generator, centres, 60)
    view = VectorView.open(tmp_path, "epoch", "space", 384)
    fill(view, vectors)
    assert view._frame.bits is None
    exact = recall(view, vectors, queries)
    assert exact > 0.97
    everything = {"allowed_documents": np.arange(2000)}
    view.save(1)
    view.close()
    monkeypatch.setattr(vector_table, "BITS_FROM", 3000)
    view = VectorView.open(tmp_path, "epoch", "space", 384)
    assert view._frame.bits is not None
    assert recall(view, vectors, queries) >= 0.98 * exact
    assert recall(view, vectors, queries, **everything) >= 0.98 * exact
    # Bits that were carried along from row to row are those of a view that was opened.
    more = clustered(generator, centres, 3000)
    fill(view, more[:1000], first=12_001)
    fill(view, more[1000:], first=13_001)
    assert recall(view, np.vstack([vectors, more]), queries) >= 0.98 * exact
    view.close()


def test_many_allowed_rows_and_few_are_found_alike(
    view: VectorView, generator: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors, query = unit(generator, 400), unit(generator, 1)[0]
    fill(view, vectors)
    by_mask = search(view, query, 400, allowed_documents=range(20))
    monkeypatch.setattr(vector_table, "GATHERED", 250)  # now these rows are copied together
    assert search(view, query, 400, allowed_documents=range(20)) == by_mask
    assert len(by_mask) == 199


def test_unsaved_additions_are_lost_and_unsaved_removals_are_back(
    tmp_path: Path, generator: np.random.Generator
) -> None:
    vectors = unit(generator, 30)
    view = open_view(tmp_path)
    fill(view, vectors[:20])
    view.save(9)
    fill(view, vectors[20:], first=21)
    view.remove([1])
    view.close()
    view = open_view(tmp_path)
    assert (view.generation, view.chunk_ids().tolist()) == (9, list(range(1, 21)))
    fill(view, vectors[:10], first=51)
    for chunk, vector in [(3, vectors[2]), (20, vectors[19])]:
        assert search(view, vector, 1)[0][0] == chunk
    assert search(view, vectors[25], 1)[0][0] != 26
    view.close()


def test_a_save_with_nothing_new_writes_nothing(tmp_path: Path, generator: np.random.Generator) -> None:
    view = open_view(tmp_path)
    fill(view, unit(generator, 3))
    view.save(1)
    before = (tmp_path / "snapshot").stat()
    view.save(1)
    assert (tmp_path / "snapshot").stat() == before
    view.save(2)
    assert (tmp_path / "snapshot").stat().st_ino != before.st_ino
    view.close()


def test_dead_rows_are_dropped_from_the_file(
    tmp_path: Path, generator: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_view, "COMPACT_ROWS", 100)
    vectors = unit(generator, 2000)
    view = open_view(tmp_path)
    fill(view, vectors)
    view.save(1)
    before = view.disk_bytes()
    frame = view._frame
    view.remove(range(1, 1501))
    view.save(2)
    assert view.disk_bytes() < before / 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows-1", "snapshot"]
    assert frame.search(*quantised(vectors[7]), 1, None, None)[0].tolist() == [8], "a search under way goes on"
    for _ in range(2):
        assert view.chunk_ids().tolist() == list(range(1501, 2001))
        assert search(view, vectors[1700], 1)[0][0] == 1701
        view.close()
        view = open_view(tmp_path)
    view.close()


def quantised(vector: Floats) -> tuple[npt.NDArray[np.int8], float]:
    codes, scales = quantise(vector[None, :])
    return codes[0], float(scales[0])


def saved_view(directory: Path) -> Path:
    view = open_view(directory)
    fill(view, unit(np.random.default_rng(1), 50))
    view.save(4)
    view.close()
    return directory


def rebuilt(directory: Path, *, epoch: str = "epoch", space: str = "space", dimension: int = DIMENSION) -> bool:
    with capture_logs() as logs:
        view = VectorView.open(directory, epoch, space, dimension)
    anew = [log["event"] for log in logs] in (["vector_view_rebuilt"], ["state_damaged"])
    assert (view.count, view.generation) == ((0, 0) if anew else (50, 4))
    view.close()
    return anew


def test_another_epoch_space_or_dimension_is_thrown_away(tmp_path: Path) -> None:
    assert not rebuilt(saved_view(tmp_path / "same"))
    assert rebuilt(saved_view(tmp_path / "epoch"), epoch="another")
    assert rebuilt(saved_view(tmp_path / "space"), space="another")
    assert rebuilt(saved_view(tmp_path / "dimension"), dimension=DIMENSION * 2)
    assert not list(tmp_path.glob("*/*.new"))


def test_a_damaged_byte_anywhere_is_noticed(tmp_path: Path) -> None:
    for name in ("rows-0", "snapshot"):
        size = 50 * DIMENSION if name == "rows-0" else (saved_view(tmp_path / "size") / name).stat().st_size
        for number, place in enumerate((0, 17, size // 2, size - 1)):
            path = saved_view(tmp_path / f"{name}{number}") / name
            data = bytearray(path.read_bytes())
            data[place] ^= 1
            path.write_bytes(data)
            assert rebuilt(path.parent), (name, place)


def test_missing_and_shortened_files_are_noticed(tmp_path: Path) -> None:
    for number, name in enumerate(("rows-0", "snapshot")):
        (saved_view(tmp_path / f"gone{number}") / name).unlink()
        assert rebuilt(tmp_path / f"gone{number}")
        path = saved_view(tmp_path / f"short{number}") / name
        path.write_bytes(path.read_bytes()[: 49 * DIMENSION - 700])
        assert rebuilt(path.parent)


def test_leftovers_of_a_crash_are_cleared_away(tmp_path: Path) -> None:
    saved_view(tmp_path)
    for name in ("rows-1", "snapshot.new"):
        (tmp_path / name).write_bytes(b"half")
    assert not rebuilt(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows-0", "snapshot"]


def test_a_search_sees_a_replaced_chunk_exactly_once(view: VectorView, generator: np.random.Generator) -> None:
    vectors = unit(generator, 200)
    fill(view, vectors)
    done = threading.Event()
    wrong: list[list[int]] = []

    def keep_searching() -> None:
        while not done.is_set():
            hits = sorted(chunks(search(view, vectors[0], 300)))
            if hits != list(range(1, 201)):
                wrong.append(hits)

    threads = [threading.Thread(target=keep_searching) for _ in range(2)]
    for thread in threads:
        thread.start()
    for turn in range(150):
        fill(view, vectors[turn : turn + 40], first=turn + 1)
        if turn % 50 == 0:
            view.save(turn)
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert view.count == 200


def test_searching_costs_no_references_to_none(view: VectorView, generator: np.random.Generator) -> None:
    """An extension that drops one a call brings the process down after some thousand searches."""
    vectors = unit(generator, 100)
    fill(view, vectors)
    before = sys.getrefcount(None)
    for _ in range(300):
        search(view, vectors[0])
    assert abs(sys.getrefcount(None) - before) < 100


def test_kill_at_any_moment_leaves_the_last_save_whole(tmp_path: Path) -> None:
    chance = random.Random(5)  # noqa: S311 - repeatable, not secret
    for _ in range(4):
        with subprocess.Popen([sys.executable, VICTIM, tmp_path], stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "opened\n"
            acknowledged = [int(child.stdout.readline()) for _ in range(chance.randrange(1, 15))]
            threading.Event().wait(chance.random() * 0.01)  # anywhere between two acknowledgements
            child.kill()
            acknowledged += map(int, child.stdout.read().split())
        with capture_logs() as logs:
            view = VectorView.open(tmp_path, "epoch", "space", VICTIM_DIMENSION)
        assert logs == []
        assert view.generation in {acknowledged[-1], acknowledged[-1] + 1}
        expected = [
            chunk
            for generation in range(1, view.generation + 1)
            for chunk in range(generation * 20, generation * 20 + (5 if generation % 2 else 20))
        ]
        assert view.chunk_ids().tolist() == expected
        frame = view._frame
        live = np.flatnonzero(frame.columns.live[: frame.count])
        assert np.array_equal(frame.codes[live], codes_of(frame.columns.chunk_ids[live]))
        view.close()


FULL_DISK = """
    import resource, sys
    from pathlib import Path
    import numpy as np
    from agentd.errors import StateUnusableError
    from agentd.storage.vector_view import VectorView

    view = VectorView.open(Path(sys.argv[1]), "epoch", "space", 256)
    ids = np.arange(1, 101)
    codes = np.random.default_rng(1).integers(-127, 128, (20000, 256), dtype=np.int8)

    def add(first, count):
        ids = np.arange(first, first + count)
        view.add(ids, ids, ids, codes[first:first + count], np.full(count, 0.01))

    add(1, 100)
    view.save(1)
    add(101, 50)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    for attempt in (lambda: add(201, 10000), lambda: add(201, 10), lambda: view.save(2)):
        try:
            attempt()
        except StateUnusableError as error:
            print(error.kind)
        assert (view.generation, view.count) == (1, 150)
        assert view.search(codes[120].tobytes(), 0.01, 1)[0][0] == 120
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    add(201, 10000)
    view.save(3)
    view.close()
    view = VectorView.open(Path(sys.argv[1]), "epoch", "space", 256)
    assert (view.generation, view.count) == (3, 10150)
    assert view.search(codes[9000].tobytes(), 0.01, 1)[0][0] == 9000
"""


def test_a_full_disk_is_an_error_and_the_view_recovers(tmp_path: Path) -> None:
    script = textwrap.dedent(FULL_DISK)
    child = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=False)
    assert (child.returncode, child.stdout) == (0, "state_unusable\n" * 3), child.stderr
