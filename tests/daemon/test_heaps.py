"""The heaps of the C library: each keeps the gaps of its peaks, so there must be few for many threads."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from pathlib import Path

from daemon_harness import DEADLINE, Daemon, running, write_files

from agentd.client import Client
from agentd.daemon.maintenance import HEAPS

HEAP_BYTES = 64 * 1024 * 1024
MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S{4})", re.MULTILINE)


def heaps(pid: int) -> int:
    """Heaps of threads: 64 MiB at a multiple of that, the first part in use and the rest reserved (malloc/arena.c)."""
    found = MAPPING.findall(Path(f"/proc/{pid}/maps").read_text())
    parts = [(int(start, 16), int(end, 16), mode) for start, end, mode in found]
    return sum(
        used.startswith("rw")
        and rest == "---p"
        and end == after
        and start % HEAP_BYTES == 0
        and last - start == HEAP_BYTES
        for (start, end, used), (after, last, rest) in pairwise(parts)
    )


def search_often(daemon: Daemon) -> None:
    with closing(Client(str(daemon.socket), timeout=DEADLINE)) as client:
        for number in range(20):
            client.search(f"common task {number}", limit=50)


def test_all_threads_share_two_heaps(tmp_path: Path) -> None:
    write_files(tmp_path / "root", 60)
    with running(tmp_path / "place", tmp_path / "root") as daemon, ThreadPoolExecutor(4) as clients:
        daemon.client.wait("keyword", timeout=DEADLINE)
        list(clients.map(search_often, [daemon] * 4))
        assert len(list(Path(f"/proc/{daemon.pid}/task").iterdir())) > 2 * 2
        assert 1 <= heaps(daemon.pid) <= HEAPS
