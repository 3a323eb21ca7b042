"""One daemon a state directory, one daemon a socket.

A second server can bind over a live socket path without an error, so a lock on a file beside it decides. ``flock``
belongs to the open file: it goes with the process, however that ends, and a stale lock file means nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Self

from agentd.config.paths import check_private, with_short_path
from agentd.errors import StateLockedError, StateUnusableError

if TYPE_CHECKING:
    from types import TracebackType


ACCEPTS = b"00010000"
"""``__SO_ACCEPTCON`` in the column Flags of ``/proc/net/unix``."""


class FileLock:
    """An exclusive lock on ``path``, which is created and holds the owner's process id."""

    def __init__(self, path: Path, what: str) -> None:
        self._path = path
        self._what = what
        self._descriptor = -1

    def __enter__(self) -> Self:
        """Take the lock.

        Raises:
            StateLockedError: another process has it.
            StateUnusableError: the file cannot be created.
        """
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError:
            owner = os.pread(self._descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._descriptor)
            raise StateLockedError(
                f"{self._what} is in use by another agentd (pid {owner}): `agentctl add DIR` has that one index DIR "
                "too, `agentctl stop` ends it; or give this one its own --state-dir and --socket"
            ) from None
        except OSError as error:
            raise StateUnusableError(
                f"cannot lock {self._path}: {error.strerror}; expected a writable place"
            ) from error
        return self

    def check(self) -> None:
        """See that the locked file is still the one of that name.

        Raises:
            StateUnusableError: it was deleted or replaced, and what is written beside it now is lost at the end.
        """
        found = self._path.stat() if self._path.exists() else None
        held = os.fstat(self._descriptor)
        if found is None or (found.st_dev, found.st_ino) != (held.st_dev, held.st_ino):
            raise StateUnusableError(f"{self._path.parent} was deleted while in use; nothing is kept: restart agentd")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it back. The file stays: to unlink it would let two others lock two different files of that name."""
        os.close(self._descriptor)


def private_directory(path: Path) -> None:
    """Make ``path`` a directory of mode 0700 that this user owns.

    Raises:
        StateUnusableError: it is somebody else's, no directory, or cannot be made.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.stat()
        if found.st_uid != os.geteuid():
            raise StateUnusableError(f"{path} belongs to user {found.st_uid}; expected a directory of your own")
        if stat.S_IMODE(found.st_mode) & 0o077:
            path.chmod(0o700)
            refuse_strangers_files(path)
    except OSError as error:
        raise StateUnusableError(f"cannot use {path} as a private directory: {error.strerror}") from error


def refuse_strangers_files(path: Path) -> None:
    """See that nobody else put anything into a directory that was open until now: a link, say, for us to write through.

    Raises:
        StateUnusableError: somebody did.
    """
    for entry in path.iterdir():
        if (owner := entry.lstat().st_uid) != os.geteuid():
            raise StateUnusableError(f"{entry} belongs to user {owner}; remove it, or choose another --state-dir")


def listened_on(path: Path) -> bool:
    """Whether a socket bound to ``path`` accepts connections; False where the kernel does not tell."""
    try:
        lines = Path("/proc/net/unix").read_bytes().splitlines()
    except OSError:
        return False
    fields = (line.split(maxsplit=7) for line in lines)
    return any(each[3] == ACCEPTS and each[7] == os.fsencode(path) for each in fields if len(each) == 8)


class BoundSocket:
    """A listening Unix socket at ``path``: locked, mode 0600, and unlinked at the end where it still is ours.

    With ``shared`` everybody may connect (0666), and whoever accepts has to look at who it is.
    """

    def __init__(self, path: Path, backlog: int, *, shared: bool = False) -> None:
        self._path = path
        self._backlog = backlog
        self._shared = shared
        self._stack = contextlib.ExitStack()
        self._inode = 0

    def __enter__(self) -> socket.socket:
        """Bind and listen. A socket file that nobody serves any more is replaced.

        Raises:
            StateLockedError: another daemon listens there.
            StateUnusableError: the place cannot be used.
        """
        with contextlib.ExitStack() as stack:
            self._refuse_another_file()
            self._make_parent()
            stack.enter_context(FileLock(self._path.with_name(self._path.name + ".lock"), f"the socket {self._path}"))
            self._refuse_another_listener()
            listening = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            self._bind(listening)
            self._stack = stack.pop_all()
        return listening

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the file while the lock is still held, unless somebody put another in its place."""
        with self._stack, contextlib.suppress(OSError):
            if self._path.lstat().st_ino == self._inode:
                self._path.unlink()

    def _make_parent(self) -> None:
        """A place of our own is made 0700, or 0711 for others to pass. One in /tmp could be made by anybody first, so
        it is looked at closely.
        """
        parent = self._path.parent
        if parent.exists() and parent.parent != Path("/tmp"):  # noqa: S108 compared, not used
            return
        try:
            parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            check_private(str(parent), passable=self._shared)
            if self._shared:
                parent.chmod(0o711)
        except OSError as error:
            raise StateUnusableError(f"cannot use {parent} for the socket: {error.strerror or error}") from error

    def _refuse_another_file(self) -> None:
        """Before anything is made beside it: what lies there may be a file that matters."""
        with contextlib.suppress(OSError):
            if not stat.S_ISSOCK(self._path.lstat().st_mode):
                raise StateUnusableError(f"{self._path} is there and no socket; remove it or choose another --socket")

    def _refuse_another_listener(self) -> None:
        """A service manager holds its socket without our lock, and starts agentd for the first client that comes.

        To try to connect would start it; the kernel's list of sockets says it too (proc(5), ``/proc/net/unix``).
        """
        if listened_on(self._path):
            raise StateLockedError(
                f"{self._path} is listened on by another process, most likely a service manager that starts agentd: "
                "use that one (agentctl status), stop it with `systemctl --user stop agentd.socket agentd.service`, or "
                "give this one its own --socket and --state-dir"
            )

    def _bind(self, listening: socket.socket) -> None:
        try:
            self._path.unlink(missing_ok=True)
            # Connecting takes write permission, so this is what keeps others out.
            mask = os.umask(0o111 if self._shared else 0o177)
            try:
                with_short_path(str(self._path), listening.bind)
            finally:
                os.umask(mask)
            self._inode = self._path.lstat().st_ino
            listening.listen(self._backlog)
            listening.setblocking(False)  # noqa: FBT003 the socket's own signature
        except OSError as error:
            raise StateUnusableError(f"cannot listen on {self._path}: {error.strerror}") from error
