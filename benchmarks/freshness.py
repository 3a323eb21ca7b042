"""From a file saved to its new text found."""

from __future__ import annotations

import contextlib
import os
import queue
import random
import select
import threading
import time
from typing import TYPE_CHECKING

from agentd.indexing.inotify import CLOSE_WRITE, Inotify
from benchmarks.harness.figures import Figure, percentile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentd.client import Client
    from benchmarks.harness.workspace import Workspace

BAR_P95 = 400.0
"""Milliseconds."""
PATIENCE = 20.0
LETTERS = "bcdfghjklmnpqrstvwxz"
SMALLEST, LARGEST = 1_000, 100_000
"""Bytes of the files that are edited."""
BASELINE_SAVES = 10
READ_BYTES = 4096


def run(workspace: Workspace) -> list[Figure]:
    """Save a word that no file holds, by rename and in place in turn; ask for it until it is found."""
    daemon, chosen = workspace.indexed(), random.Random(workspace.scale.saves)  # noqa: S311  # no secret
    files = sorted(path for path in workspace.tree.rglob("*.py") if SMALLEST < path.stat().st_size < LARGEST)
    with daemon.connect() as client:
        found = [
            save_and_find(client, path, unique_word(chosen), by_rename=bool(number % 2))
            for number, path in enumerate(chosen.sample(files, workspace.scale.saves))
        ]
    events = notice_saves(workspace.tools / "watched.txt")
    p95 = percentile(found, 0.95)
    return [
        Figure(
            f"file saved to new text found, {len(found)} saves",
            f"p50 {percentile(found, 0.5):.0f}, p95 {p95:.0f}, worst {max(found):.0f} ms",
            f"a bare watcher notices it: p50 {percentile(events, 0.5):.0f}, p95 {percentile(events, 0.95):.0f} ms",
            f"p95 {BAR_P95:g} ms",
            p95 <= BAR_P95,
        )
    ]


def unique_word(chosen: random.Random) -> str:
    """Sixteen consonants."""
    return "".join(chosen.choices(LETTERS, k=16))


def save_and_find(client: Client, path: Path, word: str, *, by_rename: bool) -> float:
    """Milliseconds from the end of the save to the answer that holds the word. The file is as before afterwards.

    Raises:
        TimeoutError: it was not found within ``PATIENCE`` seconds.
    """
    before = path.read_bytes()
    try:
        save(path, before + f"\n# {word}\n".encode(), by_rename=by_rename)
        return 1000 * _seconds_to_find(client, word)
    finally:
        save(path, before, by_rename=by_rename)
        client.wait("vectors")


def save(path: Path, content: bytes, *, by_rename: bool) -> None:
    """As editors do: into a new file that takes the old one's place, or over the old one."""
    if not by_rename:
        path.write_bytes(content)
        return
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(content)
    beside.rename(path)


def _seconds_to_find(client: Client, word: str) -> float:
    began = time.perf_counter()
    while (elapsed := time.perf_counter() - began) < PATIENCE:
        if any(word in hit["text"] for hit in client.search(word)["hits"]):
            return time.perf_counter() - began
    raise TimeoutError(f"expected {word} to be found once saved, found nothing in {elapsed:.0f} s")


def notice_saves(path: Path) -> list[float]:
    """Milliseconds from a save to the kernel's event in a process that does nothing else."""
    path.write_text("")
    with watched(path) as events:
        return [_notice(path, number, events) for number in range(BASELINE_SAVES)]


def _notice(path: Path, number: int, events: queue.Queue[float]) -> float:
    began = time.perf_counter()
    path.write_text(str(number))
    noticed = events.get(timeout=PATIENCE)
    return 1000 * (noticed - began)


@contextlib.contextmanager
def watched(path: Path) -> Iterator[queue.Queue[float]]:
    """The moment of each event of the file, from a thread."""
    events: queue.Queue[float] = queue.Queue()
    instance = Inotify()
    instance.add(str(path.parent), CLOSE_WRITE)
    waiting, stop = os.pipe()

    def listen() -> None:
        while waiting not in select.select([instance.fileno(), waiting], [], [])[0]:
            instance.read(READ_BYTES)
            events.put(time.perf_counter())

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        yield events
    finally:
        os.close(stop)
        listener.join()
        os.close(waiting)
        instance.close()
