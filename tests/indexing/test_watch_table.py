"""Paths and watches, against the plainest model of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agentd.indexing.watch_table import WatchTable

paths = st.sampled_from(["/a", "/a/b", "/a/b/c", "/ab", "/d"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), paths, st.integers(1, 3)),
        st.tuples(st.just("remove"), paths, st.just(0)),
        st.tuples(st.just("end"), st.just(""), st.integers(1, 3)),
    )
)


@given(steps)
def test_a_table_is_a_map_from_paths_to_watches(steps: list[tuple[str, str, int]]) -> None:
    table, model = WatchTable(), dict[str, int]()
    for step, path, watch in steps:
        if step == "add" and path not in model:
            table.add(path, watch)
            model[path] = watch
        elif step == "remove":
            before = model.pop(path, None)
            unused = before is not None and before not in model.values()
            assert table.remove(path) == (before if unused else None)
        elif step == "end":
            ended = {each for each, of in model.items() if of == watch}
            assert set(table.end(watch)) == ended
            model = {each: of for each, of in model.items() if of != watch}
        assert table.directories() == model.keys()
        assert len(table) == len(model)
        for number in (1, 2, 3):
            assert set(table.paths(number)) == {each for each, of in model.items() if of == number}


def test_below_a_directory_are_itself_and_what_its_path_begins() -> None:
    table = WatchTable()
    for watch, path in enumerate(("/a", "/a/b", "/a/b/c", "/ab", "/d"), 1):
        table.add(path, watch)
    assert set(table.below(["/a"])) == {"/a", "/a/b", "/a/b/c"}
    assert set(table.below(["/a/b", "/d"])) == {"/a/b", "/a/b/c", "/d"}
    assert table.below(["/missing"]) == []
