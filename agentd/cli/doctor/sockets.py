"""The socket: where it is, who may reach it, and whether anybody answers."""

from __future__ import annotations

import os
import shlex
import stat
from typing import TYPE_CHECKING

from agentd.cli.doctor.finding import Finding, ok, problem, skipped, warning
from agentd.cli.purge import user_of
from agentd.cli.units import Units
from agentd.client import NoDaemonError, ReplyTimeoutError
from agentd.config.paths import SOCKET_PATH_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentd.cli.doctor.patient import Patient

WRITABLE_BY_OTHERS, OPEN_TO_OTHERS = 0o022, 0o077
TEMPORARY = "/tmp"  # noqa: S108  # compared, not used
"""Directly in it agentd starts in no directory that is open to others: anybody could have made it."""

START = "agentd --root DIR"


def check(patient: Patient) -> Iterator[Finding]:
    """The group."""
    yield length(patient.socket)
    shared = bool(patient.setting("server", "allowed_users", []))
    folder = os.path.dirname(patient.socket)
    if os.path.isdir(folder):
        yield directory(folder, shared=shared)
    else:
        yield skipped("socket.directory", f"{folder} is made when agentd starts")
    if os.path.lexists(patient.socket):
        yield file(patient.socket, shared=shared)
    else:
        yield skipped("socket.file", f"{patient.socket} is made when agentd starts")
    yield answers(patient)
    yield lock("socket.lock", f"{patient.socket}.lock", patient)


def length(path: str) -> Finding:
    """Agentd's own clients take a detour where a path is too long; others fail."""
    found = f"{path} ({len(os.fsencode(path))} bytes)"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
        return ok("socket.path", found)
    mend = "export AGENTD_SOCKET=/a/shorter/path, for agentd and its clients"
    return warning("socket.path", found, f"at most {SOCKET_PATH_BYTES} bytes, so that any program can connect", mend)


def directory(path: str, *, shared: bool) -> Finding:
    """Whoever may write to it can put another socket in the place of ours."""
    found = os.stat(path)
    mode = stat.S_IMODE(found.st_mode)
    about = f"{path}, mode {mode:04o}, owner {found.st_uid}"
    if found.st_uid not in {os.getuid(), 0}:
        mend = "set AGENTD_SOCKET or XDG_RUNTIME_DIR to a place of your own"
        return problem("socket.directory", about, f"a directory of user {os.getuid()}", mend)
    in_temporary = os.path.dirname(path) == TEMPORARY
    private = "711" if shared else "700"
    if mode & WRITABLE_BY_OTHERS or (in_temporary and mode & OPEN_TO_OTHERS & ~int(private, 8)):
        expected = f"mode 0{private}, as it stands in {TEMPORARY}" if in_temporary else "writable by its owner alone"
        return problem("socket.directory", about, expected, f"chmod {private} {shlex.quote(path)}")
    return ok("socket.directory", about)


def file(path: str, *, shared: bool) -> Finding:
    """Connecting takes write permission."""
    found = os.lstat(path)
    mode = stat.S_IMODE(found.st_mode)
    about = f"{path}, mode {mode:04o}, owner {found.st_uid}"
    if not stat.S_ISSOCK(found.st_mode):
        mend = "move it away, or choose another place with --socket"
        return problem("socket.file", f"{path} is no socket", "the socket that agentd makes", mend)
    if found.st_uid not in {os.getuid(), 0} and not shared:
        mend = "set AGENTD_SOCKET to the socket of your own agentd"
        return problem("socket.file", about, f"a socket of user {os.getuid()}", mend)
    if mode & 0o077 and not shared:
        return problem("socket.file", about, "mode 0600, or server.allowed_users", f"chmod 600 {shlex.quote(path)}")
    return ok("socket.file", about)


def answers(patient: Patient) -> Finding:
    """Whether a daemon says hello within a second."""
    if patient.silence is None:
        facts = f"agentd (process {patient.pid}) answered in {1000 * patient.answered_in:.1f} ms"
        return ok("socket.answers", facts)
    expected = "an agentd that answers within 1 s"
    if isinstance(patient.silence, NoDaemonError):
        stale = os.path.lexists(patient.socket)
        found = "nobody listens on the socket: it was left by an agentd that was killed" if stale else "no agentd runs"
        return problem("socket.answers", found, expected, start_command())
    if isinstance(patient.silence, ReplyTimeoutError):
        return silent(patient, expected)
    return problem("socket.answers", patient.silence.message, expected, "agentctl version")


def silent(patient: Patient, expected: str) -> Finding:
    """Somebody holds the socket and says nothing."""
    pid = holder(f"{patient.socket}.lock") or holder(os.path.join(patient.state, "lock"))
    if pid and patient.machine.state(pid) in {"T", "t"}:
        found = f"agentd (process {pid}) is stopped by a signal or a debugger"
        return problem("socket.answers", found, expected, f"kill -CONT {pid}")
    who = f"agentd (process {pid})" if pid else "whoever holds the socket"
    restart = f"kill {pid}; then: {start_command()}" if pid else start_command()
    return problem("socket.answers", f"{who} takes connections and does not answer", expected, restart)


def start_command() -> str:
    """What starts it here."""
    units = Units()
    return f"{' '.join(units.systemctl)} restart {units.service}" if units.installed() else START


def reload_command(pid: int) -> str:
    """What has the agentd that answers read its configuration again."""
    units = Units()
    return f"{' '.join(units.systemctl)} reload {units.service}" if units.installed() else f"kill -HUP {pid}"


def lock(name: str, path: str, patient: Patient) -> Finding:
    """A lock that another process holds than the one that answers belongs to a second daemon."""
    pid = holder(path)
    if not pid:
        return ok(name, f"nobody holds {path}")
    if pid == patient.pid:
        return ok(name, f"held by the agentd that answers (process {pid})")
    found = f"process {pid} holds {path}, and " + (
        f"process {patient.pid} answers" if patient.pid else "does not answer on this socket"
    )
    mend = f"if it serves another socket, use that: agentctl --socket PATH status; else end it: kill {pid}"
    return problem(name, found, "held by the agentd that answers, or by nobody", mend)


def holder(path: str) -> int:
    """The process that holds a lock; 0 where none does, or it is in another namespace."""
    said = user_of(path) or ""
    return int(said) if said.isdecimal() else 0
