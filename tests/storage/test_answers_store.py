"""Answers and runs are kept, listed, found again, and gone when they should be: from the bytes of the file too."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from agentd.answer.records import new_id
from agentd.errors import StateNewerError
from agentd.storage.kept import Kept
from agentd.storage.kept_table import ANSWERS, RUNS, Head

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


async def test_a_run_is_kept_in_the_place_of_what_was_kept_of_it_before(tmp_path: Path) -> None:
    runs = await Kept.open(tmp_path / "runs.db", RUNS)
    for state, roots, body in [("running", [], b"1"), ("running", ["/a"], b"2"), ("answered", ["/a", "/b"], b"3")]:
        await runs.put(Head("0001", 1.0, state, "a task"), roots, body)
    await runs.put(Head("0002", 2.0, "running", "another"), ["/c"], b"4")
    assert await runs.newest() == [Head("0002", 2.0, "running", "another"), Head("0001", 1.0, "answered", "a task")]
    assert (await runs.get("0001"), await runs.count()) == (b"3", 2)
    assert await runs.forget_other_roots(["/a", "/b"]) == 1
    assert [head.id for head in await runs.newest()] == ["0001"]
    await runs.delete("0001")
    assert await runs.count() == 0
    await runs.close()


FIRST = """
CREATE TABLE answer (id TEXT PRIMARY KEY, at REAL NOT NULL, mode TEXT NOT NULL, question TEXT NOT NULL,
    body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX answer_age ON answer (at);
CREATE TABLE answer_root (root TEXT NOT NULL, answer_id TEXT NOT NULL REFERENCES answer (id) ON DELETE CASCADE,
    PRIMARY KEY (root, answer_id)) WITHOUT ROWID;
CREATE INDEX answer_root_answer ON answer_root (answer_id);
INSERT INTO answer VALUES ('0001', 1.0, 'generated', 'a question', x'7b7d');
INSERT INTO answer_root VALUES ('/a', '0001');
PRAGMA user_version = 1;
"""


async def test_a_file_from_before_there_were_runs_is_read_and_written(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FIRST)
    answers = await Kept.open(path, ANSWERS)
    later = await keep(answers, 1_763_800_000.0, "/b")
    assert [head.id for head in await answers.newest()] == [later, "0001"]
    assert await answers.forget_other_roots(["/b"]) == 1
    assert await answers.get("0001") is None
    await answers.close()
    assert set(contents(tmp_path)) == {"answers.db"}
