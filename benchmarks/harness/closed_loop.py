"""One client in a closed loop, as a program: ``python -m benchmarks.harness.closed_loop SOCKET``.

It says ``ready``, and begins with a line of JSON on standard input: the queries, or an empty list to say ``hello``. It
asks the next as soon as it has the answer to the last, until its input ends, and prints a list of (``perf_counter`` at
the answer, milliseconds). That clock is the system's monotonic one, so that times compare between processes.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import cycle
from select import select
from typing import TYPE_CHECKING

from agentd.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 10


def main() -> None:
    """Ask until the input ends."""
    print("ready", flush=True)
    queries = cycle(json.loads(sys.stdin.readline()) or [""])
    with Client(sys.argv[1]) as client:
        json.dump(samples(lambda: ask(client, next(queries))), sys.stdout)


def ask(client: Client, query: str) -> None:
    """One search as most are, or a greeting."""
    if query:
        client.search(query, limit=LIMIT)
    else:
        client.hello()


def samples(request: Callable[[], None]) -> list[tuple[float, float]]:
    """When each request was answered, and how long it took."""
    found = []
    while not select([sys.stdin], [], [], 0)[0]:
        began = time.perf_counter()
        request()
        ended = time.perf_counter()
        found.append((ended, 1000 * (ended - began)))
    return found


if __name__ == "__main__":
    main()
