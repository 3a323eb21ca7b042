"""Starting a worker process: its command, its environment, its descriptors, and the thread that forks it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_INHERITED = (
    *("HOME", "PATH", "TMPDIR", "TZ", "LANG", "LC_ALL", "LC_CTYPE"),
    *("LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONUTF8", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"),
)
"""All that a worker sees of the daemon's environment. It parses files that nobody vouches for, so it holds no keys."""

_OWN = {
    "OMP_NUM_THREADS": "1",  # workers are the parallelism: N of them win over one with N threads
    "OPENBLAS_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "ORT_DISABLE_TELEMETRY": "1",  # else onnxruntime 1.32 keeps an id of this machine in $HOME and calls its maker
    "MALLOC_ARENA_MAX": "2",  # glibc makes eight arenas a core, each keeps memory that it was given back
}


@dataclass(frozen=True, slots=True)
class Spawned:
    """A process that was just started, the daemon's end of its socket, and a pidfd that tells of its end."""

    popen: subprocess.Popen[bytes]
    connection: socket.socket
    pidfd: int


class Spawner:
    """Forks workers from one thread that lives as long as the pool.

    PDEATHSIG fires when the *thread* that forked ends (prctl(2)), so a thread of a shared executor, which may end while
    the daemon runs, would take its workers along. Forking on the loop's own thread would be safe too, but keeps it
    waiting for the disk when the interpreter is not in memory.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawn")

    async def spawn(self, lane: str) -> Spawned:
        """Start a worker; raises OSError where the system refuses (processes, memory, descriptors)."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, _spawn, lane)

    def close(self) -> None:
        """End the thread, and with it, by PDEATHSIG, every worker that is left."""
        self._thread.shutdown(wait=False)


def _spawn(lane: str) -> Spawned:
    ours, theirs = socket.socketpair()
    try:
        ours.settimeout(0)  # non-blocking, as the loop needs it
        with theirs:
            popen = _popen(lane, theirs.fileno())
        return Spawned(popen, ours, os.pidfd_open(popen.pid))
    except BaseException:
        ours.close()  # and the worker, if it is there already, ends with it
        raise


def _popen(lane: str, descriptor: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  # the interpreter that runs us, with arguments of our own
        # -P: the current directory is not searched for modules. faulthandler: a crash in C leaves a trace.
        [sys.executable, "-P", "-X", "faulthandler", "-m", "agentd.compute.worker", lane, str(descriptor)],
        pass_fds=(descriptor,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # whoever reads the daemon's output must see it end with the daemon
        start_new_session=True,  # signals that a terminal sends to a process group are for the daemon
        env=_environment(os.environ),
    )


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """The worker's environment. It finds modules where the daemon does, also in a checkout that is not installed."""
    path = os.pathsep.join(entry or os.curdir for entry in sys.path)
    return {name: ours[name] for name in _INHERITED if name in ours} | _OWN | {"PYTHONPATH": path}
