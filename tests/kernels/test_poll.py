"""Directories compared with how they were."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from agentd.kernels.messages import PollRequest
from agentd.kernels.poll import PAGE_DIRECTORIES, poll


def look(*directories: Path, known: list[bytes] | None = None) -> tuple[list[bytes], list[str]]:
    pages = list(poll(PollRequest([str(directory) for directory in directories], known or [])))
    return [state for page in pages for state in page.states], [path for page in pages for path in page.changed]


def changes(tree: Path, before: list[bytes], *directories: Path) -> set[str]:
    found = look(*directories, known=before)[1]
    return {os.path.relpath(path, tree) for path in found}


def test_only_what_changed_is_told(tmp_path: Path) -> None:
    for name in ("same", "edited", "touched", "gone", "café"):
        (tmp_path / name).write_text(name)
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "deep").write_text("x")
    places = (tmp_path, tmp_path / "below")
    before, changed = look(*places)
    assert changed == []
    assert look(*places, known=before) == (before, [])
    (tmp_path / "edited").write_text("other")
    stat = (tmp_path / "touched").stat()
    (tmp_path / "touched").write_text("tOuched")
    os.utime(tmp_path / "touched", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    (tmp_path / "new").mkdir()
    assert changes(tmp_path, before, *places) == {"edited", "touched", "new"}
    (tmp_path / "gone").unlink()
    (tmp_path / "below" / "deep").write_text("y")
    assert changes(tmp_path, before, *places) == {"edited", "touched", "new", ".", "below/deep"}


def test_a_directory_that_goes_or_comes_back_is_told(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (place / "file").write_text("x")
    before, _ = look(place)
    shutil.rmtree(place)
    gone, changed = look(place, known=before)
    assert (gone, changed) == ([b""], [str(place)])
    assert look(place, known=gone) == ([b""], [])
    place.mkdir()
    (place / "file").write_text("x")
    assert look(place, known=gone)[1] == [str(place / "file")]


def test_another_directory_of_the_same_name_is_told_by_its_parent(tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    before, _ = look(tmp_path)
    (tmp_path / "place").rename(tmp_path.parent / "aside")
    (tmp_path / "place").mkdir()
    assert changes(tmp_path, before, tmp_path) == {"place"}


def test_a_name_that_is_not_utf8_stands_for_its_directory(tmp_path: Path) -> None:
    before, _ = look(tmp_path)
    (tmp_path / "caf\udce9").write_text("x")
    assert look(tmp_path, known=before)[1] == [str(tmp_path)]


def test_states_come_in_the_order_that_was_asked_over_any_number_of_pages(tmp_path: Path) -> None:
    places = [tmp_path / str(number) for number in range(PAGE_DIRECTORIES + 7)]
    for place in places:
        place.mkdir()
        (place / place.name).touch()
    states, _ = look(*places)
    assert states == [look(place)[0][0] for place in places]


files = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 3))


@settings(max_examples=60, deadline=None)
@given(files, files)
def test_whatever_differs_is_told_and_nothing_else(first: dict[str, int], second: dict[str, int]) -> None:
    with TemporaryDirectory() as folder:
        place = Path(folder)
        for name, size in first.items():
            (place / name).write_bytes(b"x" * size)
        before, _ = look(place)
        for name in first.keys() - second.keys():
            (place / name).unlink()
        for name, size in second.items():
            if first.get(name) != size:
                (place / name).write_bytes(b"x" * size)
        expected = {name for name, size in second.items() if first.get(name) != size}
        if first.keys() - second.keys():
            expected.add(".")
        assert changes(place, before, place) == expected
