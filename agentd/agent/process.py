"""One command: started beside the loop, its output bounded, and gone with all that it started when it is over."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_BYTES = 64 * 1024 * 1024
"""That are read of an output, shown or not: a command that writes on is killed."""
READ_BYTES = 64 * 1024
"""At a time, which is what a pipe holds."""
DRAIN_SECONDS = 0.5
"""For the rest of an output behind the end of the command: what left its group may hold it open for ever."""
HEAD_SHARE = 2 / 3
"""Of the output that is kept, from its beginning; the rest is its end, where errors stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to run. ``stdin`` is what it reads; None for nothing. ``max_bytes`` is how much of its output is kept."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    directory: str
    stdin: bytes | None = None
    max_bytes: int


class Ended(NamedTuple):
    """``status`` is that of the process, negative for the signal that killed it; ``cut`` counts bytes left out of
    ``output``, ``flooded`` says that it was killed because it would not stop writing.
    """

    status: int
    output: bytes
    cut: int
    flooded: bool


class Output:
    """The beginning and the end of what is added, at most ``limit`` bytes together."""

    def __init__(self, limit: int) -> None:
        self.total = 0
        self._head = bytearray()
        self._tail = bytearray()
        self._head_limit = int(limit * HEAD_SHARE)
        self._tail_limit = limit - self._head_limit

    def add(self, piece: bytes) -> None:
        """Take the next piece in."""
        self.total += len(piece)
        room = self._head_limit - len(self._head)
        self._head += piece[:room]
        self._tail += piece[room:]
        if len(self._tail) > 2 * self._tail_limit:  # not at each piece: it moves all that is kept
            del self._tail[: -self._tail_limit]

    @property
    def cut(self) -> int:
        """Bytes that are left out."""
        return max(0, self.total - self._head_limit - self._tail_limit)

    def whole(self) -> bytes:
        """What is kept, with a line where something is left out."""
        if not self.cut:
            return bytes(self._head + self._tail)
        return (
            bytes(self._head) + f"\n[… {self.cut} bytes left out …]\n".encode() + bytes(self._tail[-self._tail_limit :])
        )


async def run_command(command: Command) -> Ended:
    """Run it to its end. Whoever is cancelled here leaves no process behind.

    Raises:
        OSError: it could not be started.
    """
    starting = asyncio.ensure_future(asyncio.to_thread(_start, command))
    try:
        started = await asyncio.shield(starting)
    except asyncio.CancelledError:
        starting.add_done_callback(_end_started)
        raise
    running = _Running(started, command.max_bytes)
    try:
        await running.over()
    finally:
        running.close()
    return Ended(started.popen.returncode, running.output.whole(), running.output.cut, running.flooded)


class _Started(NamedTuple):
    """A process, a pidfd that tells of its end, and the end of a pipe from which its output is read."""

    popen: subprocess.Popen[bytes]
    pidfd: int
    output: int

    def kill(self) -> None:
        """All of its group. Its number is its own as long as the process was not waited for."""
        with suppress(PermissionError):  # it runs as somebody else, by its own doing
            os.killpg(self.popen.pid, signal.SIGKILL)

    def reap(self) -> None:
        """Of a process that has ended: what it left in its group ends, too."""
        self.kill()
        self.popen.wait()
        os.close(self.pidfd)


def _start(command: Command) -> _Started:
    stdin = subprocess.DEVNULL if command.stdin is None else _readable(command.stdin)
    output, write_end = os.pipe()
    os.set_blocking(output, False)
    try:
        popen = subprocess.Popen(  # noqa: S603  # no shell; program and arguments are those of the configuration
            command.arguments,
            stdin=stdin,
            stdout=write_end,
            stderr=subprocess.STDOUT,
            cwd=command.directory,
            env=command.environment,
            start_new_session=True,  # no terminal to ask, and a group to kill
        )
    except BaseException:
        os.close(output)
        raise
    finally:
        os.close(write_end)
        if stdin >= 0:
            os.close(stdin)
    return _Started(popen, os.pidfd_open(popen.pid), output)


def _readable(data: bytes) -> int:
    """A descriptor from which ``data`` can be read: a pipe would want somebody to write as it is read."""
    descriptor = os.memfd_create("stdin")
    with open(descriptor, "wb", closefd=False) as file:
        file.write(data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _end_started(starting: asyncio.Future[_Started]) -> None:
    """Of a command that nobody waits for any more."""
    if not starting.cancelled() and starting.exception() is None:
        _Running(starting.result(), 0).close()


class _Running:
    """A process as the loop sees it: an output that ends, and a pidfd that turns readable when it has ended.

    The output is read here and not by a transport: that of uvloop closes the pipe twice, the second time perhaps what
    another thread has opened in between.
    """

    def __init__(self, started: _Started, max_bytes: int) -> None:
        self.output = Output(max_bytes)
        self.flooded = False
        self._loop = asyncio.get_running_loop()
        self._started = started
        self._ended = self._loop.create_future()
        self._silent = self._loop.create_future()
        self._loop.add_reader(started.pidfd, self._reap)
        self._loop.add_reader(started.output, self._read)

    async def over(self) -> None:
        """Return when the process has ended, and all that its group wrote was read."""
        await asyncio.shield(self._ended)
        await asyncio.wait([self._silent], timeout=DRAIN_SECONDS)

    def close(self) -> None:
        """Kill what still runs, and read no more; who was killed is waited for when it is gone."""
        if not self._ended.done():
            self._started.kill()
        self._hang_up()

    def _read(self) -> None:
        try:
            data = os.read(self._started.output, READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            self._hang_up()
            return
        self.output.add(data)
        if self.output.total > MOST_BYTES and not self.flooded and not self._ended.done():
            self.flooded = True
            self._started.kill()

    def _hang_up(self) -> None:
        if not self._silent.done():
            self._silent.set_result(None)
            self._loop.remove_reader(self._started.output)
            os.close(self._started.output)

    def _reap(self) -> None:
        self._loop.remove_reader(self._started.pidfd)
        self._started.reap()
        self._ended.set_result(None)
