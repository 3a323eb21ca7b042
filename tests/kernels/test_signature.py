from __future__ import annotations

import os
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from hypothesis import given
from hypothesis import strategies as st

from agentd.kernels.signature import COARSE_TICK_NS, TICK_NS, settled, signature, signature_when_read

if TYPE_CHECKING:
    from pathlib import Path

whole = st.integers(0, 2**62)
stats = st.builds(SimpleNamespace, st_size=whole, st_mtime_ns=whole, st_ctime_ns=whole, st_ino=whole).map(
    lambda fields: cast("os.stat_result", fields)
)


def fields(stat: os.stat_result) -> tuple[int, int, int, int]:
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino


@given(stats, stats)
def test_signatures_are_equal_exactly_where_everything_in_them_is(one: os.stat_result, other: os.stat_result) -> None:
    assert (signature(one) == signature(other)) == (fields(one) == fields(other))
    assert signature(one) == signature(one)


@given(stats, whole)
def test_what_was_read_young_never_equals_a_later_look(stat: os.stat_result, now_ns: int) -> None:
    assert (signature_when_read(stat, now_ns) == signature(stat)) == settled(stat, now_ns)


def changed_at(ctime_ns: int) -> os.stat_result:
    return cast("os.stat_result", SimpleNamespace(st_ctime_ns=ctime_ns))


@given(st.integers(1, 2**61))
def test_a_file_settles_once_the_clock_has_left_the_tick_of_its_last_change(at: int) -> None:
    window = TICK_NS if at % 10**9 else COARSE_TICK_NS
    assert not settled(changed_at(at), at)
    assert not settled(changed_at(at), at + window)
    assert settled(changed_at(at), at + window + 1)


def test_a_change_in_the_future_is_never_settled() -> None:
    assert not settled(changed_at(10**18 + 1), 10**17)


def test_times_in_whole_seconds_need_longer() -> None:
    assert not settled(changed_at(5 * 10**9), 6 * 10**9)
    assert settled(changed_at(5 * 10**9 + 1), 6 * 10**9)


def test_a_second_change_with_the_same_size_and_a_restored_mtime_shows(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("one")
    before = path.stat()
    deadline = time.monotonic() + 5
    while path.stat().st_ctime_ns == before.st_ctime_ns and time.monotonic() < deadline:  # until the next tick
        path.write_text("two")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert signature(path.stat()) != signature(before)
