"""Which spaces the chunks of a root want vectors in, in the order of the root's chain.

A chunk has at most one vector that counts. It *belongs* in a stage of the chain when no earlier stage has it: when it
is queued in all of them that are open, those left out whose vectors are lost to searches. So while the first model
cannot be had, what still waits for it gets a vector of the next; as the first catches up, the next is relieved of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from agentd.storage.database import Database

FILL_DOCUMENTS = 200
"""Documents whose chunks are queued in one transaction while a stage opens."""
DRAIN_CHUNKS = 4000
"""Chunks taken out of a queue in one transaction."""

BELONGS = """
NOT EXISTS (
    SELECT 1 FROM root_space e WHERE e.root_id = m.root_id AND e.position < m.position AND e.open AND NOT e.lost
    AND NOT EXISTS (SELECT 1 FROM embedding_queue q WHERE q.chunk_id = c.id AND q.space_id = e.space_id)
)
"""
"""Whether chunk ``c`` belongs in stage ``m`` of its root."""


class Stage(NamedTuple):
    """A space in the chain of a root; see 0004_chains.sql."""

    space: str
    open: bool = True
    lost: bool = False


Chain = tuple[Stage, ...]


class RootSpaces:
    """The chains of the roots. Spaces are named by ``Space.key``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> dict[int, Chain]:
        """The chain of every root that has one, by its id."""
        return await self._database.read_bulk(_all)

    async def set(self, chains: Mapping[int, Chain]) -> set[str]:
        """Give these roots these chains, and queue what they ask for, in short transactions.

        What a crash cuts short, the next call goes on with. Returns the spaces in which more or fewer chunks belong
        than did, so that their views are to be compared.
        """
        moved = await self._database.write(_set, chains)
        while await self._database.write(_fill):
            pass
        while await self._database.write(_drain):
            pass
        return moved

    async def in_use(self) -> tuple[str, ...]:
        """The spaces that are in the chain of any root."""
        return await self._database.read_bulk(_in_use)

    async def scales(self) -> dict[str, tuple[float, float]]:
        """(factor, shift) of the spaces that were calibrated."""
        return await self._database.read_bulk(_scales)

    async def keep_scale(self, space: str, factor: float, shift: float) -> None:
        """Remember how cosines of a space are mapped."""
        await self._database.write(_keep_scale, space, factor, shift)


def overfull(before: Chain, after: Chain) -> set[str]:
    """The spaces in which fewer chunks belong than did: the root left them, or a stage ahead of them counts again."""
    ahead_before, ahead_after = _ahead(before), _ahead(after)
    return {space for space in ahead_before if not ahead_after.get(space, {""}) <= ahead_before[space]}


def to_fill(before: Chain, after: Chain) -> set[str]:
    """The open spaces in which more chunks belong than did, or that did not want them."""
    were_open = {stage.space for stage in before if stage.open}
    ahead_before, ahead_after = _ahead(before), _ahead(after)
    return {
        stage.space
        for stage in after
        if stage.open and (stage.space not in were_open or not ahead_before[stage.space] <= ahead_after[stage.space])
    }


def _ahead(chain: Chain) -> dict[str, set[str]]:
    """By space those before it that keep chunks from it."""
    counted: set[str] = set()
    ahead: dict[str, set[str]] = {}
    for stage in chain:
        ahead[stage.space] = set(counted)
        if stage.open and not stage.lost:
            counted.add(stage.space)
    return ahead


def _all(connection: sqlite3.Connection) -> dict[int, Chain]:
    chains: dict[int, list[Stage]] = {}
    for root_id, key, is_open, lost in connection.execute(
        "SELECT m.root_id, s.key, m.open, m.lost FROM root_space m JOIN space s ON s.id = m.space_id "
        "ORDER BY m.root_id, m.position"
    ):
        chains.setdefault(root_id, []).append(Stage(key, bool(is_open), bool(lost)))
    return {root_id: tuple(stages) for root_id, stages in chains.items()}


def _scales(connection: sqlite3.Connection) -> dict[str, tuple[float, float]]:
    rows = connection.execute("SELECT key, factor, shift FROM space WHERE factor IS NOT NULL AND shift IS NOT NULL")
    return {key: (factor, shift) for key, factor, shift in rows}


def _keep_scale(connection: sqlite3.Connection, space: str, factor: float, shift: float) -> None:
    connection.execute("UPDATE space SET factor = ?, shift = ? WHERE key = ?", (factor, shift, space))


def _in_use(connection: sqlite3.Connection) -> tuple[str, ...]:
    sql = "SELECT key FROM space WHERE id IN (SELECT space_id FROM root_space) ORDER BY id"
    return tuple(key for (key,) in connection.execute(sql))


def _set(connection: sqlite3.Connection, chains: Mapping[int, Chain]) -> set[str]:
    before = _all(connection)
    there = {root_id for (root_id,) in connection.execute("SELECT id FROM root WHERE NOT removing")}
    found: set[str] = set()
    for root_id, chain in chains.items():
        if root_id in there and chain != before.get(root_id, ()):
            found |= overfull(before.get(root_id, ()), chain) | to_fill(before.get(root_id, ()), chain)
            _replace(connection, root_id, before.get(root_id, ()), chain)
    return found


def _replace(connection: sqlite3.Connection, root_id: int, before: Chain, after: Chain) -> None:
    ids = _space_ids(connection, [stage.space for stage in after])
    cursors = dict(connection.execute("SELECT space_id, filled FROM root_space WHERE root_id = ?", (root_id,)))
    connection.execute("DELETE FROM root_space WHERE root_id = ?", (root_id,))
    begin = to_fill(before, after)
    for position, stage in enumerate(after):
        kept = cursors.get(ids[stage.space]) if stage.open else None
        filled = "" if stage.space in begin else kept
        row = (root_id, ids[stage.space], position, stage.open, stage.lost, filled)
        connection.execute("INSERT INTO root_space VALUES (?, ?, ?, ?, ?, ?)", row)


def _space_ids(connection: sqlite3.Connection, keys: Sequence[str]) -> dict[str, int]:
    connection.executemany("INSERT OR IGNORE INTO space (key) VALUES (?)", [(key,) for key in keys])
    return {
        key: connection.execute("SELECT id FROM space WHERE key = ?", (key,)).fetchone()[0]
        for key in dict.fromkeys(keys)
    }


def _fill(connection: sqlite3.Connection) -> bool:
    """Queue the chunks of the next documents of a stage that opened, the first stages first, for later ones look at
    what waits there; returns whether more may be left.
    """
    row = connection.execute(
        "SELECT root_id, space_id, filled FROM root_space WHERE open AND filled IS NOT NULL "
        "ORDER BY root_id, position LIMIT 1"
    ).fetchone()
    if row is None:
        return False
    root_id, space_id, filled = row
    last = connection.execute(
        "SELECT max(path) FROM (SELECT path FROM document WHERE root_id = ? AND path > ? ORDER BY path LIMIT ?)",
        (root_id, filled, FILL_DOCUMENTS),
    ).fetchone()[0]
    if last is not None:
        connection.execute(
            "INSERT OR IGNORE INTO embedding_queue (chunk_id, space_id, root_id, mtime_ns) "
            "SELECT c.id, m.space_id, d.root_id, d.mtime_ns FROM document d JOIN root_space m ON m.root_id = d.root_id "
            "CROSS JOIN chunk c ON c.document_id = d.id "
            f"WHERE d.root_id = ? AND d.path > ? AND d.path <= ? AND d.embed AND m.space_id = ? AND {BELONGS}",
            (root_id, filled, last, space_id),
        )
    connection.execute("UPDATE root_space SET filled = ? WHERE root_id = ? AND space_id = ?", (last, root_id, space_id))
    return True


def _drain(connection: sqlite3.Connection) -> int:
    """Take some chunks out of the queues of stages that are not open; returns how many."""
    row = connection.execute(
        "SELECT t.root_id, t.space_id FROM queue_tally t LEFT JOIN root_space m "
        "ON m.root_id = t.root_id AND m.space_id = t.space_id WHERE t.queued > 0 AND NOT coalesce(m.open, 0) LIMIT 1"
    ).fetchone()
    if row is None:
        return 0
    chunks = connection.execute(
        "SELECT chunk_id, space_id FROM embedding_queue WHERE root_id = ? AND space_id = ? LIMIT ?",
        (*row, DRAIN_CHUNKS),
    ).fetchall()
    connection.executemany("DELETE FROM embedding_queue WHERE chunk_id = ? AND space_id = ?", chunks)
    return len(chunks)
