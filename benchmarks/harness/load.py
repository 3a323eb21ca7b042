"""Clients in closed loops, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import IO, TYPE_CHECKING, NamedTuple

from benchmarks.harness.corpus import PROJECT

if TYPE_CHECKING:
    from collections.abc import Sequence


class Sample(NamedTuple):
    """An answered request: the ``perf_counter`` of the answer, and how long it took."""

    at: float
    milliseconds: float


class Load:
    """``clients`` of them, started and waiting. ``begin`` lets them ask, ``end`` collects what they measured."""

    def __init__(self, socket: str, clients: int) -> None:
        command = [sys.executable, "-m", "benchmarks.harness.closed_loop", socket]
        self._clients = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT, text=True)
            for _ in range(clients)
        ]
        for client in self._clients:
            _pipe(client.stdout).readline()

    def begin(self, queries: Sequence[str]) -> None:
        """Deal the queries out and let all ask. No queries: they say ``hello``."""
        for number, client in enumerate(self._clients):
            stdin = _pipe(client.stdin)
            stdin.write(json.dumps(queries[number :: len(self._clients)]) + "\n")
            stdin.flush()

    def end(self) -> list[Sample]:
        """Stop all; returns every request in the order of the answers.

        Raises:
            RuntimeError: a client failed, because a request of it did.
        """
        for client in self._clients:
            _pipe(client.stdin).close()
        found = [_pipe(client.stdout).read() for client in self._clients]
        if sum(client.wait() != 0 for client in self._clients):
            raise RuntimeError("expected every request to be answered; see above for the one that failed")
        return sorted(Sample(*sample) for output in found for sample in json.loads(output))


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None, "the process was started with pipes"
    return stream
