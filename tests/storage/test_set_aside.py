from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from agentd.errors import StateUnusableError
from agentd.storage.private import make_private
from agentd.storage.set_aside import (
    KEPT_DAYS,
    SQLITE_COMPANIONS,
    copies,
    forget_all_copies,
    forget_old_copies,
    set_aside,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def names(directory: Path) -> list[str]:
    return sorted(re.sub(r"\d{8}T\d{6}Z", "TIME", path.name) for path in directory.iterdir())


def test_a_database_is_renamed_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    for suffix in ("", *SQLITE_COMPANIONS):
        (tmp_path / f"index.db{suffix}").write_text(suffix)
    set_aside(tmp_path / "index.db", "why", SQLITE_COMPANIONS)
    assert names(tmp_path) == ["index.db.damaged-TIME", "index.db.damaged-TIME-shm", "index.db.damaged-TIME-wal"]
    (copy,) = copies(tmp_path)
    assert copy.name == "index.db"
    assert abs(datetime.now(UTC) - copy.at) < timedelta(minutes=1)


def test_one_copy_of_each_is_kept(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / "other").write_text("other")
        (tmp_path / "keyword").mkdir()
        (tmp_path / "keyword" / "file").write_text(str(number))
        set_aside(tmp_path / "keyword", "why")
    set_aside(tmp_path / "other", "why")
    assert names(tmp_path) == ["keyword.damaged-TIME", "other.damaged-TIME"]
    (kept,) = tmp_path.glob("keyword*/file")
    assert kept.read_text() == "2"


def test_what_is_missing_needs_no_setting_aside(tmp_path: Path) -> None:
    set_aside(tmp_path / "index.db", "why", SQLITE_COMPANIONS)
    assert names(tmp_path) == []


@pytest.mark.parametrize("days", [KEPT_DAYS + 1, -KEPT_DAYS - 1, 4000, -4000])
def test_old_copies_go_also_where_the_clock_was_wrong(tmp_path: Path, days: int) -> None:
    for suffix in ("", *SQLITE_COMPANIONS):
        (tmp_path / f"index.db{suffix}").write_text(suffix)
    set_aside(tmp_path / "index.db", "why", SQLITE_COMPANIONS)
    (tmp_path / "index.db").write_text("in use")
    (tmp_path / "index.db.damaged-long-ago").write_text("not ours")
    forget_old_copies(tmp_path, datetime.now(UTC))
    assert len(names(tmp_path)) == 5
    forget_old_copies(tmp_path, datetime.now(UTC) + timedelta(days=days))
    assert names(tmp_path) == ["index.db", "index.db.damaged-long-ago"]


def test_all_copies_go_where_room_is_needed(tmp_path: Path) -> None:
    for name in ("index.db", "index.db-wal", "in use"):
        (tmp_path / name).write_text(name)
    (tmp_path / "keyword").mkdir()
    set_aside(tmp_path / "index.db", "why", SQLITE_COMPANIONS)
    set_aside(tmp_path / "keyword", "why")
    forget_all_copies(tmp_path)
    assert names(tmp_path) == ["in use"]


def test_what_cannot_be_renamed_is_an_error_that_says_what_to_do(
    tmp_path: Path, as_nobody: Callable[[Callable[[], None]], None]
) -> None:
    (tmp_path / "index.db").write_text("damaged")

    def check() -> None:
        with pytest.raises(
            StateUnusableError, match=r"index\.db is damaged \(why\) and cannot be set aside: Permission"
        ):
            set_aside(tmp_path / "index.db", "why")

    as_nobody(check)


def test_a_file_in_the_place_of_a_directory_holds_no_copies(tmp_path: Path) -> None:
    """Status asks for them, and must not fail because the state is damaged."""
    (tmp_path / "vectors").write_text("not a directory")
    assert copies(tmp_path / "vectors") == []


def test_everything_becomes_private_but_links_are_left_alone(tmp_path: Path) -> None:
    state, outside = tmp_path / "state", tmp_path / "outside"
    (state / "views" / "deep").mkdir(parents=True)
    for path in (outside, state / "a", state / "views" / "deep" / "b"):
        path.write_text("text")
        path.chmod(0o666)
    (state / "link").symlink_to(outside)
    os.mkfifo(state / "pipe")
    make_private(state)
    modes = {path.name: path.lstat().st_mode & 0o777 for path in state.rglob("*") if not path.is_symlink()}
    assert modes | {"pipe": 0} == {"views": 0o700, "deep": 0o700, "a": 0o600, "b": 0o600, "pipe": 0}
    assert outside.stat().st_mode & 0o777 == 0o666
