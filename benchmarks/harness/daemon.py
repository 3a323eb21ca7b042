"""A real daemon in a process of its own, with its own state, socket and home."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Self

from agentd.client import Client, NoDaemonError
from benchmarks.harness.corpus import PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

START_SECONDS = 60.0
STOP_SECONDS = 20.0
CONNECT_PAUSE = 0.002
"""Seconds between two tries to connect: what a start is measured to."""
LONGEST_REQUEST = 120.0


class Daemon:
    """Indexes ``root``; everything it writes is below ``folder``. A context manager that starts and stops it.

    ``began`` is the ``perf_counter`` of the last start.
    """

    def __init__(self, folder: Path, root: Path, environment: Mapping[str, str] | None = None) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self.root = root
        self.state = folder / "state"
        self.socket = str(folder / "agentd.sock")
        self.began = 0.0
        # Nothing of the caller's environment may change what is measured.
        self._environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Process id."""
        assert self._process is not None, "the daemon was not started"
        return self._process.pid

    def start(self) -> None:
        """Start the process; it is not ready when this returns."""
        command = [sys.executable, "-m", "agentd", "--root", str(self.root)]
        with (self.folder / "log").open("ab") as log:
            self.began = time.perf_counter()
            self._process = subprocess.Popen(
                [*command, "--socket", self.socket, "--state-dir", str(self.state)],
                cwd=PROJECT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stderr=log,
            )

    def stop(self) -> None:
        """Ask it to end, and see that it does."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def connect(self) -> Client:
        """A connection, as soon as the daemon takes one.

        Raises:
            RuntimeError: it ended, or takes none for ``START_SECONDS``; names its log.
        """
        assert self._process is not None, "the daemon was not started"
        deadline = time.perf_counter() + START_SECONDS
        while self._process.poll() is None and time.perf_counter() < deadline:
            try:
                return Client(self.socket, timeout=LONGEST_REQUEST)
            except NoDaemonError:
                time.sleep(CONNECT_PAUSE)
        raise RuntimeError(f"expected a daemon on {self.socket}, found none; see {self.folder / 'log'}")

    def elapsed(self) -> float:
        """Seconds since it was started."""
        return time.perf_counter() - self.began
