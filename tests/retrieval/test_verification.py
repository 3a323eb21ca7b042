from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from agentd.errors import NotFoundError
from agentd.kernels.signature import signature
from agentd.retrieval.files import MAX_SPAN_CHARS, cut_span, split_lines
from agentd.retrieval.verification import OnDisk, Verifier, compare

if TYPE_CHECKING:
    from pathlib import Path


def test_each_way_in_which_a_file_may_differ_from_its_index(tmp_path: Path) -> None:
    names = ("same", "edited", "touched", "deleted", "replaced", "folder", "linked", "below")
    for name in names:
        (tmp_path / name).write_text("text")
    (tmp_path / "closed").write_text("x")
    noted = {str(tmp_path / name): signature(os.lstat(tmp_path / name)) for name in names}
    before = (tmp_path / "edited").stat()
    (tmp_path / "edited").write_text("texT")
    os.utime(tmp_path / "edited", ns=(before.st_atime_ns, before.st_mtime_ns))
    os.utime(tmp_path / "touched")
    (tmp_path / "deleted").unlink()
    (tmp_path / "beside").write_text("text")
    (tmp_path / "beside").rename(tmp_path / "replaced")
    (tmp_path / "folder").unlink()
    (tmp_path / "folder").mkdir()
    (tmp_path / "linked").unlink()
    (tmp_path / "linked").symlink_to("same")
    noted[str(tmp_path / "below" / "a file")] = "1-1-1-1"
    noted[str(tmp_path / ("n" * 300))] = "1-1-1-1"
    found = {os.path.relpath(path, tmp_path)[:7]: state for path, state in compare(noted).items()}
    assert found == {
        "same": OnDisk.SAME,
        "edited": OnDisk.CHANGED,
        "touched": OnDisk.CHANGED,
        "deleted": OnDisk.GONE,
        "replace": OnDisk.CHANGED,
        "folder": OnDisk.CHANGED,
        "linked": OnDisk.CHANGED,
        "below": OnDisk.SAME,
        "below/a": OnDisk.GONE,
        "nnnnnnn": OnDisk.UNKNOWN,
    }


async def test_a_disk_that_hangs_makes_no_hit_wait_longer_than_allowed(tmp_path: Path) -> None:
    answer = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        threads.submit(answer.wait)  # the only thread is stuck in the kernel
        try:
            states = await Verifier(threads).verify({str(tmp_path): "1-1-1-1"}, within=0.05)
        finally:
            answer.set()
    assert states == {str(tmp_path): OnDisk.UNKNOWN}


def test_lines_end_with_a_line_feed_alone() -> None:
    assert split_lines("a\r\nb\x0cc\rd\ne") == ["a\r\n", "b\x0cc\rd\n", "e"]
    assert split_lines("a\n") == ["a\n"]
    assert split_lines("") == []


@pytest.mark.parametrize(("start", "end", "text", "cut"), [(1, 2, "a\nb\n", False), (2, 9, "b\nc", False)])
def test_a_span_ends_where_the_file_ends(start: int, end: int, text: str, *, cut: bool) -> None:
    span = cut_span("/r/p", "/r", split_lines("a\nb\nc"), start, end)
    assert (span["text"], span["cut"], span["total_lines"]) == (text, cut, 3)
    assert span["end_line"] == min(end, 3)


def test_a_span_that_is_too_long_is_cut_at_a_line_and_says_so() -> None:
    lines = ["x" * (MAX_SPAN_CHARS // 3) + "\n"] * 5
    span = cut_span("/r/p", "/r", lines, 1, 5)
    assert (span["end_line"], span["cut"]) == (2, True)
    assert len(span["text"]) <= MAX_SPAN_CHARS
    endless = cut_span("/r/p", "/r", ["x" * (MAX_SPAN_CHARS * 2)], 1, 1)
    assert (len(endless["text"]), endless["cut"]) == (MAX_SPAN_CHARS, True)


def test_the_span_of_an_empty_file_is_empty() -> None:
    span = cut_span("/r/p", "/r", split_lines(""), 1, 0)
    assert (span["start_line"], span["end_line"], span["total_lines"], span["text"], span["cut"]) == (
        1,
        0,
        0,
        "",
        False,
    )
    with pytest.raises(NotFoundError, match="has 0 lines"):
        cut_span("/r/p", "/r", [], 2, 2)


def test_a_start_behind_the_end_is_an_error_that_says_how_long_the_file_is() -> None:
    with pytest.raises(NotFoundError, match="has 3 lines"):
        cut_span("/r/p", "/r", ["a\n", "b\n", "c\n"], 4, 9)
