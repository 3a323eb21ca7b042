"""What a daemon may be doing when it is killed. Each scenario brings it about and says when the kill comes."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from crash_harness import Life, Plan
from crash_moments import Moment, after, files, generation, missing, pending, replaced, says, snapshots
from daemon_harness import until

from agentd.kernels.messages import WalkRequest
from agentd.kernels.walk import walk
from agentd.storage.migrations import APPLICATION_ID, scripts
from agentd.storage.vector_view import COMPACT_ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Scenario = Callable[[Life], Plan]


def first_indexing(life: Life) -> Plan:
    """A root has just been added."""
    files_there = life.rng.randint(40, 120)
    share = life.rng.random()
    life.work()
    life.corpus.grow(files_there)
    return Plan(
        life.rng.choice(
            [
                after(life.rng.uniform(0.0, 0.8)),
                says(life.database, "SELECT count(*) > ? FROM document", int(share * files_there)),
                pending(life.database, int(share * files_there)),
            ]
        )
    )


def edits(life: Life) -> Plan:
    """Files are rewritten, renamed and deleted."""
    life.work()
    life.corpus.edit(life.rng.randint(5, 30))
    return Plan(
        life.rng.choice([after(life.rng.uniform(0.0, 0.5)), generation(life.database, life.rng.randint(1, 20))])
    )


def keyword_view(life: Life) -> Plan:
    """The keyword view was deleted, and catches up."""
    life.rest()
    shutil.rmtree(life.state / "keyword")
    life.ledger.finished.clear()  # it is us who break what was promised there
    life.daemon.spawn()
    life.work()
    pattern, number = life.rng.choice(
        [("*.term", 1), ("*.idx", 1), (".tmp*", life.rng.randint(1, 6)), ("view.json*", 1)]
    )
    return Plan(
        life.rng.choice(
            [
                files(life.state / "keyword", pattern, number),
                replaced(life.state / "keyword" / "meta.json", life.rng.randint(1, 3)),
            ]
        ),
        recomputes=False,
    )


def commits(life: Life) -> Plan:
    """The keyword view commits, merges its segments and deletes old ones."""
    life.work()
    for _ in range(life.rng.randint(1, 6)):
        life.corpus.edit(3)
        life.daemon.client.wait("keyword", timeout=60)
    life.corpus.edit(3)
    folder = life.state / "keyword"
    moments = [
        replaced(folder / "meta.json", 1),
        files(folder, "*.del", 1),
        files(folder, "*.term", 1),
        files(folder, ".tmp*", 1),
    ]
    return Plan(life.rng.choice(moments))


def linking(life: Life) -> Plan:
    """Edges are followed from file to file, because names came and went."""
    life.rest()
    with closing(sqlite3.connect(life.database)) as connection, connection:
        connection.execute("INSERT OR IGNORE INTO link_queue SELECT id, 0 FROM document")
    life.daemon.spawn()
    life.work()
    phase = life.rng.randint(1, 3)
    return Plan(
        life.rng.choice(
            [
                after(life.rng.uniform(0.4, 1.0)),
                says(life.database, "SELECT NOT EXISTS (SELECT 1 FROM link_queue WHERE phase < ?)", phase),
            ]
        ),
        recomputes=False,
    )


def removal(life: Life) -> Plan:
    """A root with some files is being removed."""
    root = life.place / f"removed_{life.kills}"
    (root / "docs").mkdir(parents=True)
    count = life.rng.randint(50, 200)
    for number in range(count):
        (root / "docs" / f"page_{number}.md").write_text(
            "".join(f"# Part {part}\n\ncommon {number}\n\n" for part in range(5))
        )
    client = life.daemon.client
    life.ledger.unsure.add(root)
    client.add_root(str(root))
    client.wait("keyword", timeout=60)
    client.stream("roots.remove", path=str(root))  # the answer is not waited for
    left = life.rng.randrange(count)
    documents = "SELECT count(*) <= ? FROM document d JOIN root r ON r.id = d.root_id WHERE r.path = ?"
    return Plan(
        life.rng.choice(
            [
                says(life.database, documents, left, str(root)),
                says(life.database, "SELECT NOT EXISTS (SELECT 1 FROM root WHERE path = ?)", str(root)),
                says(life.database, "SELECT count(*) FROM root WHERE removing"),
            ]
        )
    )


def starting(life: Life) -> Plan:
    """The daemon opens its state."""
    life.rest()
    life.corpus.edit(3)
    life.daemon.spawn()
    return Plan(after(life.rng.uniform(0.0, 0.9)))


def rebuilding(life: Life) -> Plan:
    """The whole index was deleted; the roots that were added, and what was embedded, are known elsewhere."""
    life.rest()
    forget_index(life)
    life.daemon.spawn()
    moments = [
        after(life.rng.uniform(0.1, 1.5)),
        pending(life.database, life.rng.randint(1, 60)),
        generation(life.database, 1),
    ]
    return Plan(life.rng.choice(moments), recomputes=False)


def migration(life: Life) -> Plan:
    """An index of the first version is brought to the newest."""
    life.rest()
    forget_index(life)
    (life.state / "roots.json").unlink(missing_ok=True)  # came with a later version
    first_version(life.database, life.corpus.root, sorted(life.ledger.roots))
    life.daemon.spawn()
    newer = life.rng.randint(2, len(scripts()))
    moments = [
        after(life.rng.uniform(0.1, 1.2)),
        pending(life.database, life.rng.randint(1, 60)),
        says(life.database, "SELECT user_version >= ? FROM pragma_user_version", newer),
    ]
    return Plan(life.rng.choice(moments), recomputes=False)


def maintenance(life: Life) -> Plan:
    """Old rows are trimmed, pages given back, the vector view saved."""
    life.work()
    life.corpus.edit(20)
    life.daemon.client.wait("vectors", timeout=60)
    life.corpus.edit(5)
    moments = [
        after(life.rng.uniform(0.0, 0.7)),
        says(life.database, "SELECT count(*) = 0 FROM feed WHERE gone"),
    ]
    vectors = [replaced(each, 1) for each in life.state.glob("vectors/*/snapshot")]
    return Plan(life.rng.choice([*moments, *vectors]))


def shutdown(life: Life) -> Plan:
    """It was told to stop, in the middle of work, and is killed before it has."""
    life.work()
    life.corpus.edit(20)
    until(lambda: life.daemon.client.status()["state"] != "current", "work has begun")
    life.daemon.signal(signal.SIGTERM)
    return Plan(life.rng.choice([after(life.rng.uniform(0.0, 0.6)), missing(life.daemon.socket)]))


def workers(life: Life) -> Plan:
    """Workers of any lane are killed again and again; the daemon is not."""
    life.work()
    for _ in range(4):
        life.corpus.edit(6)
        life.corpus.grow(4)
        strike_after = after(life.rng.uniform(0.0, 0.3))
        until(strike_after.reached)
        for pid in life.rng.sample(sorted(life.daemon.workers()), 1):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    return Plan(None)


def embedding(life: Life) -> Plan:
    """New text gets its vectors."""
    count = life.rng.randint(10, 40)
    life.corpus.grow(count)
    cache = says(life.state / "embeddings.db", "SELECT count(*) > 0 FROM vector")
    queue = says(life.database, "SELECT count(*) BETWEEN 1 AND ? FROM embedding_queue", life.rng.randint(1, 2 * count))
    moments = [after(life.rng.uniform(0.1, 1.5)), queue, cache]
    until(says(life.database, "SELECT count(*) FROM embedding_queue").reached, "chunks are queued")
    return Plan(life.rng.choice(moments))


def vector_view(life: Life) -> Plan:
    """The vector view was deleted, and is filled from the cache."""
    life.rest()
    shutil.rmtree(life.state / "vectors")
    life.daemon.spawn()
    life.work()
    queue = "SELECT count(*) BETWEEN 1 AND 50 FROM embedding_queue"
    moments = [
        after(life.rng.uniform(0.4, 1.5)),
        says(life.database, queue),
        snapshots(life.state, life.rng.randint(1, 3)),
    ]
    return Plan(life.rng.choice(moments))


def compaction(life: Life) -> Plan:
    """Files with thousands of passages, all alike, go, and the vector view drops their rows."""
    body = "\n".join(f"    total_{line} = compute_the_total_of({line}, 'of one more step')" for line in range(12))
    big = [life.corpus.root / f"big_{number}.py" for number in range(2)]
    for path in big:
        path.write_text("".join(f"def passage():\n{body}\n\n\n" for _ in range(COMPACT_ROWS // 2 + 50)))
    life.daemon.client.wait("vectors", timeout=60)
    (folder,) = life.state.glob("vectors/*")
    before = {path.name for path in folder.iterdir()}
    for path in big:
        path.unlink()
    return Plan(
        life.rng.choice(
            [
                files(folder, "rows-*", 1),
                Moment("end of the old rows", lambda: not before <= {path.name for path in folder.iterdir()}),
            ]
        )
    )


def forget_index(life: Life) -> None:
    """Delete the database. No text is promised to be searchable any more; the roots are."""
    for path in life.state.glob("index.db*"):
        path.unlink()
    life.ledger.finished.clear()


def first_version(path: Path, root: Path, added: list[Path]) -> None:
    """A database as the first version left it: every file of ``root`` read, with a passage that is not in it, and
    further roots that were ``added``, of which nothing is known yet.
    """
    pages = walk(WalkRequest(root=str(root)))
    rows = [(each.path, each.size, each.mtime_ns, each.signature) for page in pages for each in page.entries]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        stamp = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1;"
        connection.executescript(f"PRAGMA journal_mode = WAL; BEGIN; {scripts()[0]}; {stamp} COMMIT")
        roots = [(1, str(root), "flag"), *((number, str(one), "added") for number, one in enumerate(added, 2))]
        connection.executemany("INSERT INTO root (id, path, origin) VALUES (?, ?, ?)", roots)
        connection.executemany(
            "INSERT INTO document (root_id, path, size, mtime_ns, signature, state, chunks) "
            "VALUES (1, ?, ?, ?, ?, 'indexed', 1)",
            rows,
        )
        connection.execute(
            "INSERT INTO chunk (document_id, ordinal, start_line, end_line, start_byte, end_byte, symbol, context, "
            "text_hash, text, parts) "
            "SELECT id, 0, 1, 1, 0, 1, '', '', randomblob(16), 'common to the version before', '' FROM document"
        )
        connection.execute("INSERT INTO feed (document_id) SELECT id FROM document")


KEYWORD: tuple[Scenario, ...] = (
    first_indexing,
    keyword_view,
    edits,
    migration,
    workers,
    commits,
    shutdown,
    linking,
    removal,
    starting,
    maintenance,
    rebuilding,
)
"""Dealt to lives without vectors, which are quick."""
VECTORS: tuple[Scenario, ...] = (
    embedding,
    vector_view,
    shutdown,
    compaction,
    workers,
    maintenance,
    starting,
    rebuilding,
)


def deal(seed: int, kills: int) -> tuple[bool, list[Scenario]]:
    """Whether a life of this seed has vectors (every fourth has), and its scenarios: seeds in a row see all of them."""
    vectors = seed % 4 == 3
    deck = VECTORS if vectors else KEYWORD
    return vectors, [deck[(seed * kills + number) % len(deck)] for number in range(kills)]


def live(place: Path, seed: int, kills: int) -> Iterator[str]:
    """A whole life, and a line for each of its kills.

    Raises:
        AssertionError: something does not hold that must.
    """
    vectors, scenarios = deal(seed, kills)
    life = Life(place, seed, vectors=vectors)
    try:
        life.begin()
        yield from map(life.strike, scenarios)
        life.end()
    finally:
        life.daemon.kill()
