"""A registry of kernels that do to a worker what real ones only do by accident."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from agentd.errors import ModelError
from agentd.kernels.interruption import pause_point
from agentd.kernels.registry import Kernel

if TYPE_CHECKING:
    from collections.abc import Iterator


class Ask(Struct, frozen=True):
    text: str = ""
    number: float = 0
    path: str = ""


class Reply(Struct, frozen=True):
    text: str = ""
    number: float = 0
    pid: int = 0


def echo(ask: Ask) -> Reply:
    return Reply(ask.text, ask.number, os.getpid())


def facts(_: Ask) -> Reply:
    """The world as a worker sees it."""
    lines = [
        f"stdin={Path('/proc/self/fd/0').readlink()}",
        f"stdout={Path('/proc/self/fd/1').readlink()}",
        f"nice={os.nice(0)}",
        f"oom={Path('/proc/self/oom_score_adj').read_text().strip()}",
        f"session={os.getsid(0) == os.getpid()}",
        f"sigint={signal.getsignal(signal.SIGINT) == signal.SIG_IGN}",
        f"descriptors={sum(fd.exists() or fd.is_socket() for fd in Path('/proc/self/fd').iterdir())}",
        f"asyncio={'asyncio' in sys.modules}",
        *(f"env:{name}={value}" for name, value in os.environ.items()),
    ]
    return Reply("\n".join(lines), pid=os.getpid())


def note(ask: Ask) -> Reply:
    """Add a line to a file: the order and number of executions, seen from outside."""
    with Path(ask.path).open("a", encoding="utf-8") as file:
        file.write(f"{ask.text}\n")
    return Reply(ask.text, pid=os.getpid())


def wait_for_file(ask: Ask) -> Reply:
    """Write our pid to ``path``.started, and wait until ``path`` exists."""
    note(Ask(text=str(os.getpid()), path=f"{ask.path}.started"))
    while not Path(ask.path).exists():
        time.sleep(0.002)
    return Reply(ask.text, pid=os.getpid())


def spin(ask: Ask) -> Reply:
    """Never end, and never leave Python: what a bug in a kernel looks like."""
    note(Ask(text=str(os.getpid()), path=ask.path))
    while True:
        pass


def toil(ask: Ask) -> Reply:
    """Work on and on, but look now and then whether anybody still wants it: what a well-behaved kernel does."""
    note(Ask(text=str(os.getpid()), path=ask.path))
    while True:
        pause_point()


def hold_gil(ask: Ask) -> Reply:
    """Sit in C and let no thread of Python run: what a parser in a loop looks like."""
    note(Ask(text=str(os.getpid()), path=ask.path))
    ctypes.PyDLL(None).sleep(600)
    return Reply()


def garble(_: Ask) -> Reply:
    """Write to the daemon what is no frame."""
    os.write(int(sys.argv[2]), b"\xff" * 8)
    time.sleep(600)
    return Reply()


_hoard: list[bytes] = []


def hoard(ask: Ask) -> Reply:
    """Hold ``number`` bytes for ever, as a leak does."""
    _hoard.append(b"x" * int(ask.number))
    return Reply(pid=os.getpid())


def swell(ask: Ask) -> Iterator[Reply]:
    """Take memory in steps of 8 MiB up to ``number`` bytes, slowly enough to be seen, then wait for ``path``."""
    held: list[bytes] = []
    while len(held) << 23 < ask.number:
        held.append(b"x" * (1 << 23))
        time.sleep(0.002)
    yield Reply(pid=os.getpid())
    while not Path(ask.path).exists():
        time.sleep(0.002)


def explode(ask: Ask) -> Reply:
    """Ask for ``number`` bytes at once: faster than anybody looks."""
    return Reply(number=len(bytearray(int(ask.number))))


def die(ask: Ask) -> Reply:
    """Kill this process as long as ``path`` holds fewer than ``number`` lines; one is added each time."""
    path = Path(ask.path)
    tries = len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0
    note(Ask(text=str(os.getpid()), path=ask.path))
    if tries < ask.number:
        os.kill(os.getpid(), signal.SIGKILL)
    return Reply(f"try {tries + 1}", pid=os.getpid())


def fail(ask: Ask) -> Reply:
    if ask.text == "ours":
        raise ModelError("expected a model, found a shoe", path="/shoe")
    if ask.text == "surrogate":
        raise ModelError("no file \udcff")
    value = "text of a document"
    raise ValueError(f"cannot read {ask.text}: {value}")


def big(ask: Ask) -> Reply:
    return Reply("x" * int(ask.number))


def liar(_: Ask) -> Ask:
    return Ask(number="no number")  # type: ignore[arg-type]


def count(ask: Ask) -> Iterator[Reply]:
    """Yield ``number`` parts that carry ``text``; ``path`` gets a line for each that was made."""
    for number in range(int(ask.number)):
        if ask.path:
            note(Ask(text=str(number), path=ask.path))
        yield Reply(ask.text, number, os.getpid())


def count_and_die(ask: Ask) -> Iterator[Reply]:
    yield from count(ask)
    os.kill(os.getpid(), signal.SIGKILL)


def count_and_fail(ask: Ask) -> Iterator[Reply]:
    yield from count(ask)
    raise ModelError("no more")


def slow_count(ask: Ask) -> Iterator[Reply]:
    for number in range(int(ask.number)):
        time.sleep(0.1)
        yield Reply(number=number, pid=os.getpid())


def _kernel(name: str, *, streams: bool = False) -> Kernel[Ask, Reply]:
    return Kernel(name, "kernels_for_tests", name, Ask, Reply, streams)


ECHO, FACTS, NOTE, WAIT_FOR_FILE, SPIN = map(_kernel, ("echo", "facts", "note", "wait_for_file", "spin"))
TOIL = _kernel("toil")
DIE, FAIL, BIG, LIAR = map(_kernel, ("die", "fail", "big", "liar"))
HOLD_GIL, GARBLE, HOARD = map(_kernel, ("hold_gil", "garble", "hoard"))
COUNT = _kernel("count", streams=True)
COUNT_AND_DIE = _kernel("count_and_die", streams=True)
COUNT_AND_FAIL = _kernel("count_and_fail", streams=True)
SLOW_COUNT = _kernel("slow_count", streams=True)
SWELL = _kernel("swell", streams=True)
EXPLODE = _kernel("explode")
UNLISTED = _kernel("unlisted")

KERNELS = {
    kernel.name: kernel
    for kernel in (
        *(ECHO, FACTS, NOTE, WAIT_FOR_FILE, SPIN, TOIL, DIE, FAIL, BIG, LIAR, HOLD_GIL, GARBLE, HOARD),
        *(COUNT, COUNT_AND_DIE, COUNT_AND_FAIL, SLOW_COUNT, SWELL, EXPLODE),
    )
}
