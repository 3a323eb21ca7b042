"""The folders that are kept indexed."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from agentd.cli import output
from agentd.cli.doctor.finding import Finding, ok, problem, skipped, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentd.cli.doctor.patient import Patient
    from agentd.protocol import RootInfo

FAULTS = ("unreadable", "worker_died", "timeout", "memory", "damaged", "unstable")
"""Reasons to skip a file that somebody may want to mend; the others are what they should be."""
MOST_TOO_LARGE = 0.01
"""Of a root's files; below that they are data that nobody would search."""


def check(patient: Patient) -> Iterator[Finding]:
    """The group."""
    if not patient.status:
        yield skipped("roots.known", "no daemon tells which there are")
        return
    yield known(patient)
    for root in patient.roots:
        yield folder(root)
        yield state(root)
        yield watched(root)
        yield readable(root)
        yield too_large(root)


def known(patient: Patient) -> Finding:
    """Whether there is anything to index, and the root that was asked about is one."""
    if patient.wanted_root and not patient.roots:
        mend = f"agentctl add {shlex.quote(patient.wanted_root)}"
        return problem("roots.known", f"{patient.wanted_root} is no root", "one that agentctl roots lists", mend)
    if not patient.roots:
        return warning("roots.known", "none: nothing is indexed", "at least one", "agentctl add DIR")
    return ok("roots.known", f"{len(patient.roots)}")


def folder(root: RootInfo) -> Finding:
    """Whether this user could read it; the daemon is the same user, or should be."""
    path, expected = root["path"], "a folder that can be read"
    if not os.path.isdir(path):
        mend = f"mount it or make it again, or: agentctl remove {shlex.quote(path)}"
        return problem("roots.folder", f"{path} is missing", expected, mend)
    if not os.access(path, os.R_OK | os.X_OK):
        return problem("roots.folder", f"{path} cannot be read", expected, f"chmod u+rx {shlex.quote(path)}")
    return ok("roots.folder", f"{path} ({root['filesystem'] or 'unknown file system'})")


def state(root: RootInfo) -> Finding:
    """How far its index is."""
    parts = [root["state"], f"{root['documents']:,} files", output.left_to_do(root["pending"], root["vectors_pending"])]
    found = f"{root['path']}: {', '.join(filter(None, parts))}"
    if root["state"] == "missing":
        return problem("roots.state", found, "a folder that is there", "agentctl reindex after it is back")
    return ok("roots.state", found)


def watched(root: RootInfo) -> Finding:
    """What is not watched is polled, so that changes are found later."""
    found = f"{root['path']}: {root['coverage']:g} % of {root['directories']:,} directories watched"
    if not root["polled_directories"]:
        return ok("roots.watched", found)
    about = f"{found}, {root['polled_directories']:,} polled ({root['filesystem'] or 'unknown file system'})"
    return warning("roots.watched", about, "all watched", "docs/watching.md; limits.watches above says what to raise")


def readable(root: RootInfo) -> Finding:
    """Files that were left out because something went wrong."""
    faults = {reason: root["skipped"][reason] for reason in FAULTS if root["skipped"].get(reason)}
    if not faults:
        return ok("roots.skipped", f"{root['path']}: {output.counts(root['skipped']) or 'none'}")
    found = f"{root['path']}: {output.counts(faults)}"
    mend = f"agentctl files --skipped --root {shlex.quote(root['path'])} lists them; then: agentctl reindex"
    return warning("roots.skipped", found, "files that can be read", mend)


def too_large(root: RootInfo) -> Finding:
    """Whether the limit of a file's size cuts into the root."""
    count = root["skipped"].get("too_large", 0)
    found = f"{root['path']}: {count:,} of {root['documents']:,} files are over index.max_file_bytes"
    if count > MOST_TOO_LARGE * max(root["documents"], 1):
        return warning("roots.too_large", found, "hardly any", "raise index.max_file_bytes, or ignore them")
    return ok("roots.too_large", found)
