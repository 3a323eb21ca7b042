"""What the system gives, against what agentd and its roots need."""

from __future__ import annotations

import ctypes
import os
import tempfile
from typing import TYPE_CHECKING

from agentd.cli import output
from agentd.cli.doctor.finding import Finding, ok, problem, skipped, warning
from agentd.cli.doctor.machine import MEBIBYTE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentd.cli.doctor.patient import Patient

OWN_DESCRIPTORS = 192
"""What the daemon opens beside connections (docs/limits.md)."""
MOST_SHARE = 0.9
SWAPPED_BYTES = 32 * MEBIBYTE
LEAST_TEMPORARY_BYTES = 64 * MEBIBYTE


def check(patient: Patient) -> Iterator[Finding]:
    """The group."""
    yield watches(patient)
    yield instances(patient)
    yield descriptors(patient)
    yield memory(patient)
    yield swap(patient)
    yield temporary()
    yield backlog(patient)
    yield processors(patient)


def watches(patient: Patient) -> Finding:
    """A watch for each directory of each root, of which agentd takes half of what a user may have."""
    system = patient.machine.number("fs/inotify/max_user_watches")
    if system is None:
        return skipped("limits.watches", "the kernel does not tell how many watches there are")
    asked = patient.setting("limits", "watches", 0)
    budget = patient.status.get("limits", {}).get("watches", {}).get("limit") or asked or system // 2
    needed = sum(root["directories"] for root in patient.status.get("roots", []))
    found = f"{needed:,} directories in all roots, {budget:,} watches for agentd, {system:,} for this user"
    if needed <= budget:
        return ok("limits.watches", found)
    enough = f"sudo sysctl fs.inotify.max_user_watches={1 << (2 * needed - 1).bit_length()}"
    mend = "raise limits.watches in the configuration" if asked and asked < needed <= system // 2 else enough
    return warning("limits.watches", found, "a watch for each directory; the others are polled", mend)


def instances(patient: Patient) -> Finding:
    """Whether a program of this user can still begin to watch: the only way to know is to try (inotify_init1(2))."""
    most = patient.machine.number("fs/inotify/max_user_instances")
    library = ctypes.CDLL(None, use_errno=True)
    descriptor = library.inotify_init1(os.O_CLOEXEC)
    if descriptor >= 0:
        os.close(descriptor)
        return ok("limits.instances", f"one of {most or 'an unknown number of'} can be had")
    return problem(
        "limits.instances",
        f"none can be had: {os.strerror(ctypes.get_errno())} (fs.inotify.max_user_instances is {most})",
        "one more, for the next start of agentd",
        f"sudo sysctl fs.inotify.max_user_instances={2 * (most or 128)}, or end programs that watch files",
    )


def descriptors(patient: Patient) -> Finding:
    """Open files of the daemon; without one, those that it could have."""
    connections = patient.setting("server", "max_connections", 1024)
    needed = patient.setting("limits", "descriptors", 0) or connections + OWN_DESCRIPTORS
    limits = patient.machine.open_files(patient.pid or "self")
    if limits is None:
        return skipped("limits.descriptors", "the kernel does not tell how many files may be open")
    most = limits[0] if patient.pid else limits[1]  # agentd raises its soft limit as far as it needs
    used = patient.status.get("limits", {}).get("descriptors", {}).get("used", 0)
    found = f"{used:,} of {most:,} in use" if patient.pid else f"up to {most:,}"
    mend = f"start agentd with a higher hard limit (LimitNOFILE={needed} in its unit, or ulimit -Hn {needed})"
    if most < needed:
        expected = f"{needed:,}, for server.max_connections = {connections:,}"
        return warning("limits.descriptors", found, expected, f"{mend}, or lower server.max_connections")
    if used > MOST_SHARE * most:
        return warning("limits.descriptors", found, "some left", mend)
    return ok("limits.descriptors", found)


def memory(patient: Patient) -> Finding:
    """Whether agentd can have what its budget promises, what it has already included."""
    budget = patient.setting("limits", "memory_megabytes", 1024) * MEBIBYTE
    free, whole = patient.machine.memory("MemAvailable"), patient.machine.memory("MemTotal")
    if free is None or whole is None:
        return skipped("limits.memory", "the kernel does not tell how much memory there is")
    own = patient.status.get("limits", {}).get("memory", {}).get("used", 0)
    group = patient.machine.memory_limit(patient.pid or "self")
    found = f"{output.size(free)} of {output.size(whole)} available, {output.size(own)} in agentd"
    found += f", {output.size(group)} allowed by its control group" if group else ""
    lower = "lower limits.memory_megabytes, or free memory"
    if group is not None and group < budget:
        expected = f"limits.memory_megabytes ({output.size(budget)}) within the control group"
        return warning("limits.memory", found, expected, lower)
    if free + own < budget:
        return warning("limits.memory", found, f"{output.size(budget)} for agentd (limits.memory_megabytes)", lower)
    return ok("limits.memory", found)


def swap(patient: Patient) -> Finding:
    """What lies in swap answers late."""
    swapped = patient.machine.swapped(patient.pid) if patient.pid else None
    there = patient.machine.memory("SwapTotal") or 0
    if swapped is None:
        return ok("limits.swap", f"{output.size(there)} on this machine")
    found = f"{output.size(swapped)} of agentd in swap"
    if swapped > SWAPPED_BYTES:
        return warning("limits.swap", found, "next to nothing: its first answers are slow", "free memory")
    return ok("limits.swap", found)


def temporary() -> Finding:
    """Databases sort there, and so do libraries."""
    place = tempfile.gettempdir()
    found = os.statvfs(place)
    free = found.f_bavail * found.f_frsize
    about = f"{output.size(free)} free in {place}"
    if free < LEAST_TEMPORARY_BYTES:
        return warning("limits.temporary", about, f"{output.size(LEAST_TEMPORARY_BYTES)}", f"make room in {place}")
    return ok("limits.temporary", about)


def backlog(patient: Patient) -> Finding:
    """The kernel cuts the queue of a socket down to its own limit in silence (listen(2))."""
    wanted, most = patient.setting("server", "backlog", 1024), patient.machine.number("net/core/somaxconn")
    if most is None:
        return skipped("limits.backlog", "the kernel does not tell")
    if most < wanted:
        mend = f"sudo sysctl net.core.somaxconn={wanted}"
        return warning("limits.backlog", f"{most:,}", f"server.backlog ({wanted:,}) clients that wait", mend)
    return ok("limits.backlog", f"{wanted:,} clients may wait")


def processors(patient: Patient) -> Finding:
    """Less than a core, and queries wait for indexing."""
    cores = patient.machine.processors(patient.pid or "self")
    found = f"{cores:g} of {os.cpu_count() or 1}"
    if cores < 1:
        return warning("limits.processors", found, "at least one core", "raise CPUQuota= of its control group")
    return ok("limits.processors", found)
