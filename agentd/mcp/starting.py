"""Starting the daemon for whoever needs it first: one for all, which outlives who started it."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import time
from typing import TYPE_CHECKING

from agentd.wire import AgentdClientError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

IDLE_SECONDS = 1800
"""After that long without any client, the daemon leaves by itself."""
PAUSE_SECONDS = 1.0
"""Between two tries: another daemon may be about to end, or hold the state under another socket."""
LOG_NAME = "agentd.log"
IN_USE = 3
"""Exit code of an agentd that found another one there (``agentd.__main__``)."""


class Starter:
    """Starts agentd behind ``socket_path``, at most one of all starters at a time.

    Who starts one holds a lock on its log file, which the daemon inherits with its standard output: as long as that
    daemon lives no other starter can begin one, or cut its log. Against daemons that a person starts the daemon's own
    lock on its state decides.

    Args:
        command: agentd, without flags.
        socket_path: where it is to listen.
        state_directory: where its log goes, too.
        environ: its environment.
    """

    def __init__(
        self, command: Sequence[str], socket_path: str, state_directory: str, environ: Mapping[str, str]
    ) -> None:
        self.log_path = os.path.join(state_directory, LOG_NAME)
        self._command = [*command, "--socket", socket_path, "--idle-exit", str(IDLE_SECONDS)]
        self._environ = environ
        self._process: subprocess.Popen[bytes] | None = None
        self._former: subprocess.Popen[bytes] | None = None
        self._next_try = 0.0

    def begin(self) -> None:
        """Nobody answers any more. A daemon of ours that once did may have ended as it likes."""
        self._former, self._process = self._process, None
        self._next_try = 0.0

    def see_to_it(self) -> None:
        """Start a daemon unless one is on its way; to be called again and again, after ``begin``, until it answers.

        Raises:
            AgentdClientError: ``cannot_start``: ours ended at once, with what it said last.
        """
        if self._former is not None and self._former.poll() is not None:  # reaped
            self._former = None
        if self._process is not None and (code := self._process.poll()) is not None:
            self._process = None
            if code not in {0, IN_USE}:
                raise AgentdClientError("cannot_start", f"agentd ended with code {code}: {self.last_words()}")
        if self._process is None and time.monotonic() >= self._next_try:
            self._next_try = time.monotonic() + PAUSE_SECONDS
            self._start()

    def last_words(self) -> str:
        """The last line of the log, and where the others are."""
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                lines = log.read().split("\n")
        except OSError:
            lines = []
        said = next((line for line in reversed(lines) if line.strip()), "it said nothing")
        return f"{in_words(said)} (all of it is in {self.log_path})"

    def _start(self) -> None:
        try:
            os.makedirs(os.path.dirname(self.log_path), mode=0o700, exist_ok=True)
            log = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise AgentdClientError("cannot_start", f"{self.log_path} cannot be written: {error.strerror}.") from None
        try:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # somebody else's is on its way, or ends
        else:
            os.ftruncate(log, 0)
            self._process = self._spawned(log)
        finally:
            os.close(log)

    def _spawned(self, log: int) -> subprocess.Popen[bytes]:
        """A process of its own session: no signal to ours, or to the terminal, reaches it. It holds none of our pipes,
        at the end of which the client sees that we have gone.
        """
        try:
            return subprocess.Popen(  # noqa: S603  # our own daemon
                self._command,
                cwd="/",
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        except OSError as error:
            raise AgentdClientError("cannot_start", f"{self._command[0]} cannot be run: {error.strerror}.") from None


def in_words(line: str) -> str:
    """What a line of the log says went wrong, as a person would have it; the line where it is no record of a failure.

    >>> in_words('{"kind": "state_unusable", "error": "the disk is full"}')
    'the disk is full'
    """
    try:
        return str(json.loads(line)["error"])
    except (ValueError, TypeError, KeyError):
        return line
