"""What a daemon embedded in a stretch of time, read from its own files while it works."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentd.domain import embedding_text
from benchmarks.harness.processes import cpu_seconds

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.harness.daemon import Daemon

WARM_UP_VECTORS = 200
"""Vectors after which workers have loaded the model and the queue between them is full."""
LOOK_SECONDS = 0.05
START_SECONDS = 120.0


@dataclass(frozen=True)
class Window:
    """The texts of the vectors computed in ``seconds``; texts that the cache knew are not among them.

    ``cpu_seconds`` is what the daemon and its workers used meanwhile.
    """

    texts: list[str]
    seconds: float
    cpu_seconds: float

    @property
    def chunks_per_second(self) -> float:
        """Rate of the daemon."""
        return len(self.texts) / self.seconds


def embedding_window(daemon: Daemon, seconds: float) -> Window:
    """Watch a running daemon embed, once its keyword search is complete. Shorter where there is no more to embed.

    It begins and ends with a commit of vectors, so that no part of a batch is counted without its time.
    """
    with daemon.connect() as client:
        client.wait("keyword")
    with closing(_open(daemon.state / "embeddings.db")) as cache:
        first, began = _next_commit(cache, WARM_UP_VECTORS, START_SECONDS)
        last, ended, cpu = first, began, cpu_seconds(daemon.pid)
        while ended - began < seconds:
            found, at = _next_commit(cache, last + 1, seconds)
            if found == last:
                break
            last, ended = found, at
        cpu = cpu_seconds(daemon.pid) - cpu
        rows = cache.execute("SELECT text_hash FROM vector WHERE id > ? AND id <= ?", (first, last))
        hashes = {text_hash for (text_hash,) in rows}
    return Window(_texts(daemon.state / "index.db", hashes), ended - began, cpu)


def _next_commit(cache: sqlite3.Connection, least: int, patience: float) -> tuple[int, float]:
    """The newest vector and the moment it was seen, as soon as it is at least ``least``, or else after ``patience``."""
    deadline = time.perf_counter() + patience
    while (found := _newest(cache)) < least and time.perf_counter() < deadline:
        time.sleep(LOOK_SECONDS)
    return found, time.perf_counter()


def _newest(cache: sqlite3.Connection) -> int:
    return int(cache.execute("SELECT coalesce(max(id), 0) FROM vector").fetchone()[0])


def _texts(index: Path, hashes: set[bytes]) -> list[str]:
    """The exact text embedded for each hash."""
    with closing(_open(index)) as database:
        rows = database.execute("SELECT text_hash, context, text, names FROM chunk")
        found = {key: embedding_text(context, text, names) for key, context, text, names in rows if key in hashes}
    assert len(found) == len(hashes), f"expected the text of {len(hashes)} vectors in {index}, found {len(found)}"
    return list(found.values())


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
