"""Answers are kept, listed, found again, and gone when they should be: from the bytes of the file too."""

from __future__ import annotations

import os
import sqlite3
import stat
from typing import TYPE_CHECKING

import pytest

from agentd.answer.records import new_id
from agentd.errors import StateNewerError
from agentd.storage.kept import Kept
from agentd.storage.kept_table import ANSWERS, Head

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

DAY = 86_400.0


@pytest.fixture
async def answers(tmp_path: Path) -> AsyncIterator[Kept]:
    opened = await Kept.open(tmp_path / "answers.db", ANSWERS)
    yield opened
    await opened.close()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


async def keep(answers: Kept, at: float, *roots: str, body: bytes = b"{}") -> str:
    head = Head(new_id(at), at, "generated", f"question of {at}")
    await answers.put(head, roots, body)
    return head.id


async def test_answers_are_listed_newest_first_in_pages(answers: Kept) -> None:
    ids = [await keep(answers, 1_763_800_000.0 + second, "/a") for second in range(5)]
    first = await answers.newest(limit=3)
    assert [head.id for head in first] == ids[:1:-1]
    assert [head.id for head in await answers.newest(first[-1].id, 3)] == ids[1::-1]
    assert await answers.get(ids[0]) == b"{}"
    assert await answers.get("nowhere") is None


async def test_a_removed_root_takes_its_answers_and_their_bytes_along(answers: Kept, tmp_path: Path) -> None:
    secret = b"text of a root that is removed" * 50
    gone = await keep(answers, 1.0, "/a", "/b", body=secret)
    kept = await keep(answers, 2.0, "/a")
    nobody = await keep(answers, 3.0)
    assert await answers.forget_other_roots(["/a"]) == 1
    assert [head.id for head in await answers.newest()] == sorted([kept, nobody], reverse=True)
    assert await answers.get(gone) is None
    assert not any(secret[:30] in content for content in contents(tmp_path).values())


async def test_answers_are_kept_for_so_many_days_and_up_to_so_many(answers: Kept) -> None:
    now = 100 * DAY + 1_763_800_000.0
    ids = [await keep(answers, now - days * DAY) for days in (40, 20, 10, 1)]
    assert await answers.purge(30, 500, now) == 1
    assert await answers.purge(30, 2, now) == 1
    assert [head.id for head in await answers.newest()] == [ids[3], ids[2]]
    assert await answers.purge(30, 0, now) == 2


async def test_the_file_is_for_its_owner_alone(answers: Kept, tmp_path: Path) -> None:
    await keep(answers, 1.0)
    assert modes(tmp_path) == {0o600}


async def test_a_damaged_file_is_set_aside_when_it_is_opened_and_while_it_is_used(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"
    path.write_bytes(b"no database" * 1000)
    answers = await Kept.open(path, ANSWERS)
    await keep(answers, 1.0, body=os.urandom(100_000))
    await answers.close()
    assert any("damaged" in name for name in contents(tmp_path))
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    answers = await Kept.open(path, ANSWERS)
    kept = await keep(answers, 2.0)
    assert await answers.get(kept) == b"{}"
    await answers.close()


async def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"
    await (await Kept.open(path, ANSWERS)).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StateNewerError):
        await Kept.open(path, ANSWERS)
