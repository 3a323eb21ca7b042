"""Who is here: agentctl, the daemon, and what they run on."""

from __future__ import annotations

import platform
import sqlite3
import sys
from typing import TYPE_CHECKING

from agentd import __version__
from agentd.cli import skew
from agentd.cli.doctor.finding import Finding, ok, problem, skipped, warning
from agentd.protocol import PROTOCOL_VERSION
from agentd.wire import RESTART, UPGRADE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentd.cli.doctor.patient import Patient

LEAST_KERNEL = [5, 3]
"""The first with pidfd_open(2), by which processes are ended."""


def check(patient: Patient) -> Iterator[Finding]:
    """The group."""
    yield system()
    if patient.hello:
        yield daemon(str(patient.hello.get("version", "")))
        yield protocol(int(patient.hello.get("protocol", PROTOCOL_VERSION)))
    else:
        yield skipped("versions.daemon", "no daemon answers")


def system() -> Finding:
    """The machine, for whoever reads the report elsewhere."""
    kernel = platform.release()
    facts = [
        f"agentctl {__version__}",
        f"Python {platform.python_version()}",
        f"{distribution()} ({platform.machine()})",
        f"{platform.system()} {kernel}",
        " ".join(platform.libc_ver()) or "another libc",
        f"SQLite {sqlite3.sqlite_version}",
    ]
    found = ", ".join(facts)
    if not sys.platform.startswith("linux") or skew.parts(kernel)[:2] < LEAST_KERNEL:
        return problem("versions.system", found, "Linux 5.3 or newer", "agentd needs another machine or a newer kernel")
    return ok("versions.system", found)


def distribution() -> str:
    """Its name for people."""
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return "unknown distribution"


def daemon(version: str) -> Finding:
    """One installation holds both, so they differ after an upgrade without a restart."""
    if version == __version__:
        return ok("versions.daemon", f"agentd {version}")
    older = skew.parts(version) < skew.parts(__version__)
    return warning(
        "versions.daemon",
        f"agentd {version or 'of an unknown version'}, agentctl {__version__}",
        "the same version",
        RESTART if older else UPGRADE,
    )


def protocol(theirs: int) -> Finding:
    """Whether they understand each other."""
    if theirs == PROTOCOL_VERSION:
        return ok("versions.protocol", f"protocol {theirs}")
    return problem(
        "versions.protocol",
        f"the daemon speaks protocol {theirs}",
        f"protocol {PROTOCOL_VERSION}, as agentctl does",
        UPGRADE if theirs > PROTOCOL_VERSION else RESTART,
    )
