"""The state directory: whose it is, what it holds, how much room there is."""

from __future__ import annotations

import os
import re
import shlex
import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING

from agentd.cli import output, purge
from agentd.cli.doctor.finding import Finding, ok, problem, skipped, some, warning
from agentd.cli.doctor.machine import MEBIBYTE, UNSAFE_FOR_DATABASES
from agentd.cli.doctor.sockets import lock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentd.cli.doctor.patient import Patient

DATABASES = ("index.db", "embeddings.db", "answers.db", "runs.db", "web.db")
MOST_SHARE = 0.9
LEAST_INODES = 1000
_DAMAGED = re.compile(r"(.+)\.damaged-\d{8}T\d{6}Z")


def check(patient: Patient) -> Iterator[Finding]:
    """The group."""
    place = patient.state
    if not os.path.isdir(place):
        if os.path.lexists(place):
            yield problem("state.directory", f"{place} is no directory", "a directory", "move it away")
        else:
            yield skipped("state.directory", f"{place} is made when agentd starts")
        return
    about = directory(place)
    yield about
    yield filesystem(place, patient)
    yield free_space(place, patient)
    if not os.access(place, os.R_OK | os.X_OK):
        return
    yield lock("state.lock", os.path.join(place, "lock"), patient)
    yield size(place, patient)
    yield files(place)
    yield damaged(place)
    used = purge.user_of(os.path.join(place, "lock")) is not None
    for name in DATABASES:
        if os.path.exists(os.path.join(place, name)):
            yield database(place, name, used=used, deep=patient.deep)


def directory(place: str) -> Finding:
    """It holds copies of text, so it is for its owner alone."""
    found = os.stat(place)
    about = f"{place}, mode {stat.S_IMODE(found.st_mode):04o}, owner {found.st_uid}"
    quoted = shlex.quote(place)
    if found.st_uid != os.getuid():
        mend = f"sudo chown -R {os.getuid()} {quoted}, or AGENTD_STATE_DIR with a place of your own"
        return problem("state.directory", about, f"a directory of user {os.getuid()}", mend)
    if stat.S_IMODE(found.st_mode) & 0o077:
        return problem("state.directory", about, "mode 0700: it holds copies of what is indexed", f"chmod 700 {quoted}")
    if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        return problem(
            "state.directory", f"{about}, which cannot be written to", "a writable directory", f"chmod 700 {quoted}"
        )
    return ok("state.directory", about)


def filesystem(place: str, patient: Patient) -> Finding:
    """Databases need locks and shared memory that hold."""
    kind = patient.machine.filesystem(place)
    if UNSAFE_FOR_DATABASES.fullmatch(kind):
        mend = "set AGENTD_STATE_DIR, or --state-dir, to a folder on a local disk"
        return warning("state.filesystem", f"{place} is on {kind}", "a local file system, for the databases", mend)
    return ok("state.filesystem", kind or "unknown")


def free_space(place: str, patient: Patient) -> Finding:
    """Indexing waits where less is left than the setting says."""
    found = os.statvfs(place)
    free, inodes = found.f_bavail * found.f_frsize, found.f_favail
    least = patient.setting("limits", "free_disk_megabytes", 256) * MEBIBYTE
    about = f"{output.size(free)} and {inodes:,} inodes free"
    mend = f"make room on the file system of {place}, or lower limits.free_disk_megabytes"
    if free < least:
        return problem("state.free_space", about, f"at least {output.size(least)}: indexing waits", mend)
    if found.f_files and inodes < LEAST_INODES:
        return problem("state.free_space", about, f"at least {LEAST_INODES:,} inodes", "delete files that nobody needs")
    return ok("state.free_space", about)


def size(place: str, patient: Patient) -> Finding:
    """What it takes, against its budget."""
    sizes = {entry.name: purge.size(entry.path) for entry in os.scandir(place)}
    total, most = sum(sizes.values()), patient.setting("limits", "disk_megabytes", 8192) * MEBIBYTE
    largest = sorted(sizes, key=lambda name: -sizes[name])
    about = f"{output.size(total)} ({some([f'{name} {output.size(sizes[name])}' for name in largest])})"
    expected = f"at most {output.size(most)}"
    mend = "remove a root (agentctl remove DIR), or raise limits.disk_megabytes"
    if total > most:
        return problem("state.size", about, f"{expected}: indexing waits", mend)
    if total > MOST_SHARE * most:
        return warning("state.size", about, f"{expected}, and some room", mend)
    return ok("state.size", about)


def files(place: str) -> Finding:
    """Whether everything in it is its owner's alone."""
    open_ones, strange = [], []
    for folder, names, others in os.walk(place):
        for name in (*names, *others):
            path = os.path.join(folder, name)
            found = os.lstat(path) if os.path.lexists(path) else None  # views come and go
            if found is None or stat.S_ISLNK(found.st_mode):
                continue
            if found.st_uid != os.getuid():
                strange.append(os.path.relpath(path, place))
            elif stat.S_IMODE(found.st_mode) & 0o077:
                open_ones.append(os.path.relpath(path, place))
    quoted = shlex.quote(place)
    if strange:
        mend = f"sudo chown -R {os.getuid()} {quoted}"
        return problem("state.files", f"of other users: {some(strange)}", "files of this user", mend)
    if open_ones:
        mend = f"chmod -R go= {quoted}"
        return problem("state.files", f"open to others: {some(open_ones)}", "modes 0700 and 0600", mend)
    return ok("state.files", "all are private")


def damaged(place: str) -> Finding:
    """Copies that agentd set aside: each of them a fault of the disk, or of agentd."""
    names = [name for folder in (place, os.path.join(place, "vectors")) for name in listed(folder)]
    if found := sorted({match[1] for name in names if (match := _DAMAGED.fullmatch(name))}):
        what = f"{some(found)} set aside in the last 7 days and made anew"
        return warning("state.damaged", what, "no damage", "look for faults of the disk (journalctl -k, smartctl)")
    return ok("state.damaged", "no file was damaged in the last 7 days")


def listed(folder: str) -> list[str]:
    """Names in a folder that may be missing."""
    return os.listdir(folder) if os.path.isdir(folder) else []


def database(place: str, name: str, *, used: bool, deep: bool) -> Finding:
    """Whether it can be read; with ``deep`` all of it is.

    One that nobody uses is opened as if nobody could write, without what its log holds: else SQLite would leave files
    beside it (sqlite.org/wal.html, "Read-Only Databases").
    """
    path, check_name = os.path.join(place, name), f"state.{name.partition('.')[0]}"
    logged = not used and os.path.exists(f"{path}-wal") and os.path.getsize(f"{path}-wal") > 0
    whole = deep and not logged  # without its log it need not be
    version = 0
    try:
        way = "mode=ro" if used else "immutable=1"
        with closing(sqlite3.connect(f"file:{_escaped(path)}?{way}", uri=True, timeout=1.0)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            said = connection.execute("PRAGMA quick_check(1)").fetchone()[0] if whole else "ok"
    except sqlite3.Error as error:
        said = f"{error}"
    if said != "ok":
        mend = "restart agentd (agentctl stop, then start it): it sets a damaged file aside and makes it anew"
        return problem(check_name, f"{name} is damaged or cannot be read", "a database that is whole", mend)
    about = ", whole" if whole else ", its log is folded in at the next start" if logged else ""
    return ok(check_name, f"{name}, version {version}{about}")


def _escaped(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
