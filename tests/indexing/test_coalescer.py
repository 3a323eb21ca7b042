from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agentd.indexing.coalescer import MAX_PATHS, WHOLE_ROOT, Coalescer

HINTS = st.lists(st.tuples(st.sampled_from(["a", "b", "c/d", "e"]), st.floats(0, 10)), max_size=50).map(
    lambda hints: sorted(hints, key=lambda hint: hint[1])
)


def test_a_path_is_due_once_it_was_quiet() -> None:
    coalescer = Coalescer(quiet=0.05)
    coalescer.hint("a", 1.0)
    coalescer.hint("a", 1.04)
    assert coalescer.take_due(1.06) == set()
    assert coalescer.next_due() == 1.04 + 0.05
    assert coalescer.take_due(1.1) == {"a"}
    assert coalescer.next_due() is None


def test_a_path_that_never_falls_quiet_is_due_all_the_same() -> None:
    coalescer = Coalescer(quiet=0.05, patience=10)
    for step in range(20):
        coalescer.hint("log", step * 0.03)
    assert coalescer.take_due(0.5) == {"log"}


def test_too_many_paths_become_one_walk_of_the_root() -> None:
    coalescer = Coalescer(quiet=1.0)
    for number in range(MAX_PATHS + 50):
        coalescer.hint(f"file{number}", 5.0)
    assert len(coalescer) == 1
    assert coalescer.take_due(6.0) == {WHOLE_ROOT}


def test_the_whole_root_swallows_its_paths() -> None:
    coalescer = Coalescer(quiet=1.0)
    coalescer.hint("a", 0.0)
    coalescer.hint(WHOLE_ROOT, 0.5)
    assert coalescer.take_due(1.5) == {WHOLE_ROOT}
    assert len(coalescer) == 0


@given(HINTS, st.floats(0.01, 2))
def test_no_hint_is_lost_and_none_waits_longer_than_patience(hints: list[tuple[str, float]], quiet: float) -> None:
    coalescer = Coalescer(quiet, patience=3)
    waiting: dict[str, float] = {}
    for path, now in hints:
        for due in coalescer.take_due(now):
            del waiting[due]
        assert all(now < first + 3 * quiet for first in waiting.values())
        coalescer.hint(path, now)
        waiting.setdefault(path, now)
    assert coalescer.take_due(1e9) == set(waiting)
