"""Where agentd keeps what: socket, state and configuration, by the rules of systemd and of the XDG base directories.

Standard library's ``os`` alone and plain strings, because ``agentctl`` imports this at every start. Sources:
systemd.exec(5) for ``RUNTIME_DIRECTORY`` and its kin, the XDG Base Directory Specification 0.8 for the rest.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    Result = TypeVar("Result")

SOCKET_NAME = "agentd.sock"
CONFIG_NAME = "agentd.toml"
SYSTEM_RUNTIME = "/run/agentd"
"""Holds a directory for each user whose daemon the system's service manager runs."""
SOCKET_PATH_BYTES = 107
"""``sun_path`` has 108 bytes and ends in a zero (unix(7))."""


def socket_path(environ: Mapping[str, str] = os.environ) -> str:
    """The socket that daemon and clients meet at. Without a runtime directory it lies in ``/tmp``: see
    :func:`check_private`.
    """
    if named := environ.get("AGENTD_SOCKET"):
        return os.path.abspath(named)
    if directory := _of_service(environ, "RUNTIME_DIRECTORY"):
        return os.path.join(directory, SOCKET_NAME)
    if directory := _of_xdg(environ, "XDG_RUNTIME_DIR"):
        return os.path.join(directory, "agentd", SOCKET_NAME)
    return os.path.join(f"/tmp/agentd-{os.getuid()}", SOCKET_NAME)  # noqa: S108  # check_private guards it


def socket_to_connect(environ: Mapping[str, str] = os.environ) -> str:
    """The socket that a client tries: :func:`socket_path`, else that of the user's service of the system, if there is
    one. Only root can make directories below ``/run``, so nobody else can have put it there.
    """
    path = socket_path(environ)
    if environ.get("AGENTD_SOCKET") or os.path.exists(path) or not os.path.isdir(SYSTEM_RUNTIME):
        return path
    import pwd  # noqa: PLC0415  # asks name services; only who needs the name pays for that

    try:
        service = os.path.join(SYSTEM_RUNTIME, pwd.getpwuid(os.getuid()).pw_name, SOCKET_NAME)
    except KeyError:  # a user without a name has no such service
        return path
    return service if os.path.exists(service) else path


def state_directory(environ: Mapping[str, str] = os.environ) -> str:
    """The directory that holds the index and the embedding cache."""
    if named := environ.get("AGENTD_STATE_DIR"):
        return os.path.abspath(named)
    if directory := _of_service(environ, "STATE_DIRECTORY"):
        return directory
    return os.path.join(_of_xdg(environ, "XDG_STATE_HOME") or home(environ, ".local/state"), "agentd")


def config_file(environ: Mapping[str, str] = os.environ) -> tuple[str, bool]:
    """The configuration file, and whether ``AGENTD_CONFIG`` names it: then it must exist, else it may be missing."""
    if named := environ.get("AGENTD_CONFIG"):
        return os.path.abspath(named), True
    if directory := _of_service(environ, "CONFIGURATION_DIRECTORY"):
        return os.path.join(directory, CONFIG_NAME), False
    return os.path.join(config_home(environ), "agentd", CONFIG_NAME), False


def git_excludes(environ: Mapping[str, str] = os.environ) -> str:
    """The user's own ignore rules for all their repositories, at git's default place (gitignore(5)); may be missing."""
    return os.path.join(config_home(environ), "git", "ignore")


def config_home(environ: Mapping[str, str] = os.environ) -> str:
    """The directory below which the user's programs keep their configuration."""
    return _of_xdg(environ, "XDG_CONFIG_HOME") or home(environ, ".config")


def home(environ: Mapping[str, str], below: str) -> str:
    """A place below the user's home."""
    return os.path.join(environ.get("HOME") or os.path.expanduser("~"), below)


def check_private(directory: str, *, passable: bool = False) -> None:
    """Refuse a directory that another user could have made or could reach; ``passable``: others may pass through it.

    Raises:
        PermissionError: it is a link, no directory, not the user's own, or open to others.
        FileNotFoundError: it does not exist.
    """
    found = os.lstat(directory)
    if not stat.S_ISDIR(found.st_mode):
        raise PermissionError(f"{directory} must be a directory, and no link. Remove it, or set AGENTD_SOCKET.")
    if found.st_uid != os.getuid():
        raise PermissionError(
            f"{directory} belongs to user {found.st_uid}, expected {os.getuid()}. "
            "Set AGENTD_SOCKET or XDG_RUNTIME_DIR to a place of your own."
        )
    if (mode := stat.S_IMODE(found.st_mode)) & (0o066 if passable else 0o077):
        mend = f"chmod {'711' if passable else '700'} {directory}"
        raise PermissionError(f"{directory} is open to others (mode {mode:04o}). Run: {mend}")


def anybody_could_make(path: str) -> bool:
    """Whether some directory above ``path`` lets every user put things into it, as ``/tmp`` does."""
    directory = os.path.dirname(os.path.realpath(path))
    while not os.stat(directory).st_mode & stat.S_IWOTH:
        if directory == os.path.dirname(directory):
            return False
        directory = os.path.dirname(directory)
    return True


def with_short_path(path: str, operation: Callable[[str], Result]) -> Result:
    """Call ``operation`` (``connect`` or ``bind`` of a socket) with a name for ``path`` that the kernel accepts.

    A path over 107 bytes is reached through ``/proc/self/fd``, which leaves only the file's own name to fit.

    Raises:
        OSError: whatever ``operation`` raises, or the directory cannot be opened.
    """
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
        return operation(path)
    directory, name = os.path.split(path)
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return operation(f"/proc/self/fd/{descriptor}/{name}")
    finally:
        os.close(descriptor)


def _of_service(environ: Mapping[str, str], name: str) -> str | None:
    """A directory that systemd made: the first where a unit asks for several, which ``:`` then separates."""
    return environ.get(name, "").split(":", 1)[0] or None


def _of_xdg(environ: Mapping[str, str], name: str) -> str | None:
    """A base directory; the specification says to ignore a relative one."""
    directory = environ.get(name, "")
    return directory if os.path.isabs(directory) else None
