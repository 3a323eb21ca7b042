"""A worker process: reads tasks from a socket, runs one kernel at a time, sends back what it returns.

Started as ``python -m agentd.compute.worker LANE FD``; the lane is there for the eyes of ``ps``, the rest comes over
the socket. No event loop, no settings, no database: blocking reads and writes, and the kernels of one registry.

A worker never outlives its daemon. The kernel kills it when the thread that spawned it ends (PR_SET_PDEATHSIG), and a
thread here waits for the daemon's end of the socket to close, which also ends a worker that is inside a task.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import resource
import select
import signal
import socket
import sys
import threading
import time
import traceback
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from agentd.compute.frames import FrameSplitter, pack
from agentd.compute.messages import Cancel, Done, Failed, Hello, Part, Run, Setup
from agentd.errors import AgentdError, ComputeError, TaskFailedError, TaskMemoryError
from agentd.kernels.interruption import INTERRUPTION, pause_point

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from agentd.kernels.registry import Kernel

_READ_BYTES = 256 * 1024
_GC_THRESHOLD = 200_000
"""Allocations between young collections. Parsing makes many objects and few cycles; 700, the default, costs it time."""
_FRAME_BYTES = 64 * 1024
_FRAME_SECONDS = 0.02
_MESSAGE_CHARS = 1000
_PR_SET_PDEATHSIG = 1  # prctl(2)

_done = pack(Done())


def main() -> NoReturn:
    """Serve until the daemon closes the socket, and leave without ceremony: nothing here is worth a tear-down."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the daemon left while a result was on its way
        _serve(socket.socket(fileno=int(sys.argv[2])))
    os._exit(0)


def _serve(connection: socket.socket) -> None:
    connection.set_inheritable(False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the daemon, which drains
    _die_with_parent(connection)
    splitter = FrameSplitter()
    frames = _frames(connection, splitter)
    first = next(frames, None)
    if first is None:
        return  # the daemon ended while we started
    setup = msgspec.msgpack.decode(first, type=Setup)
    _yield_to_others(setup)
    _limit_memory(setup.data_bytes)
    kernels: Mapping[str, Kernel[Any, Any]] = import_module(setup.registry).KERNELS
    gc.set_threshold(_GC_THRESHOLD)
    _spare_imports()
    _listen_for_cancel(connection, splitter)
    connection.sendall(pack(Hello()))
    decoder: msgspec.msgpack.Decoder[Run | Cancel] = msgspec.msgpack.Decoder(Run | Cancel)
    for frame in frames:
        message = decoder.decode(frame)
        if isinstance(message, Run):  # a Cancel is read only when its task has ended
            _answer(connection, kernels, message)


def _listen_for_cancel(connection: socket.socket, splitter: FrameSplitter) -> None:
    """While a task runs the daemon sends nothing but Cancel, so any byte that waits behind the task's own means it."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    INTERRUPTION.asked = lambda: splitter.has_more or bool(poll.poll(0))


def _frames(connection: socket.socket, splitter: FrameSplitter) -> Iterator[bytes]:
    while data := connection.recv(_READ_BYTES):
        yield from splitter.feed(data)


def _answer(connection: socket.socket, kernels: Mapping[str, Kernel[Any, Any]], run: Run) -> None:
    try:
        kernel = _find(kernels, run.kernel)
        function = _load(kernel)
        request = msgspec.msgpack.decode(run.request, type=kernel.request)
        if kernel.streams:
            _stream(connection, function(request))
        else:
            connection.sendall(_part(msgspec.msgpack.encode(function(request))) + _done)
    except AgentdError as error:
        connection.sendall(_failed(error, error.kind, error.message, error.details))
    except MemoryError as error:
        connection.sendall(_failed(error, TaskMemoryError.kind, _too_much_memory(run.kernel), {}))
    except Exception as error:  # noqa: BLE001  # the outermost edge of a kernel: the daemon must hear of everything
        connection.sendall(_failed(error, TaskFailedError.kind, f"{type(error).__name__}: {error}", {}))


def _find(kernels: Mapping[str, Kernel[Any, Any]], name: str) -> Kernel[Any, Any]:
    try:
        return kernels[name]
    except KeyError:
        raise ComputeError(f"expected a kernel of {sorted(kernels)}, found {name!r}: not in this registry") from None


def _load(kernel: Kernel[Any, Any]) -> Any:
    """Import the kernel's module at its first task: a worker holds only the parsers and models that it uses."""
    if kernel.module not in sys.modules:
        import_module(kernel.module)
        _spare_imports()
    return getattr(sys.modules[kernel.module], kernel.function)


def _spare_imports() -> None:
    """Modules live as long as the process: keep the collector from walking them again and again."""
    gc.collect()
    gc.freeze()


def _part(*values: bytes) -> bytes:
    return pack(Part([msgspec.Raw(value) for value in values]))


def _stream(connection: socket.socket, results: Iterable[object]) -> None:
    """Send results as they come. Small ones that follow each other at once travel together, because a frame costs the
    loop as much as what is in it.
    """
    ready: list[bytes] = []
    size = 0
    sent_at = time.monotonic()
    try:
        for result in results:
            pause_point()
            ready.append(msgspec.msgpack.encode(result))
            size += len(ready[-1])
            if size > _FRAME_BYTES or time.monotonic() - sent_at > _FRAME_SECONDS:
                connection.sendall(_part(*ready))
                ready, size, sent_at = [], 0, time.monotonic()
    finally:  # also before an error, which must not take along what came before it
        if ready:
            connection.sendall(_part(*ready))
    connection.sendall(_done)


def _failed(error: Exception, kind: str, message: str, details: dict[str, object]) -> bytes:
    """Describe ``error``. Its message goes to the caller alone, so that the log holds no text of documents."""
    trace = "".join(traceback.format_tb(error.__traceback__))
    return pack(Failed(kind, _valid(message[:_MESSAGE_CHARS]), details, _valid(trace)))


def _valid(text: str) -> str:
    """Names of files that are not UTF-8 come as lone surrogates, which msgpack refuses."""
    return text.encode(errors="backslashreplace").decode()


def _yield_to_others(setup: Setup) -> None:
    """Step back behind the daemon, where the system allows it (a sandbox may not)."""
    with contextlib.suppress(OSError):
        os.nice(setup.nice)
    with contextlib.suppress(OSError):
        score = Path("/proc/self/oom_score_adj")
        if int(score.read_text(encoding="ascii")) < setup.oom_score_adjust:
            score.write_text(str(setup.oom_score_adjust), encoding="ascii")


def _limit_memory(data_bytes: int) -> None:
    """The last resort against a file that explodes faster than the daemon looks: what it cannot have is refused, which
    costs its own task. RLIMIT_DATA counts memory of the process's own, and no mapped files (setrlimit(2)).
    """
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = data_bytes if hard == resource.RLIM_INFINITY else min(data_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _too_much_memory(kernel: str) -> str:
    return (
        f"kernel {kernel!r} asked for more memory than a worker may have: give it less to do, or raise "
        "compute.worker_memory_megabytes"
    )


def _die_with_parent(connection: socket.socket) -> None:
    """Make sure that this process ends with the daemon, whatever it is doing.

    PDEATHSIG also ends a kernel that holds the GIL; the thread needs the GIL, but also sees a daemon that died before
    PDEATHSIG was set, or one that closed the socket and lives on.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_exit_at_hangup, args=(connection.fileno(),), name="hangup", daemon=True).start()


def _exit_at_hangup(descriptor: int) -> NoReturn:
    poll = select.poll()
    poll.register(descriptor, select.POLLRDHUP)  # and never POLLIN: the main thread reads
    poll.poll()
    os._exit(0)


if __name__ == "__main__":
    main()
