"""The index against the disk, on a sample, in both directions; and, looked at deeper, the views against the index."""

from __future__ import annotations

import os
import shlex
import time
from typing import TYPE_CHECKING

from agentd.cli.doctor import views
from agentd.cli.doctor.finding import PROBLEM, WARNING, Finding, ok, skipped, some
from agentd.cli.doctor.tree import random_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from agentd.cli.doctor.patient import Patient
    from agentd.protocol import InspectedFile

MOST = 1000
"""Files that the daemon describes in one answer."""
LOOKS = 3
PAUSE_SECONDS = 0.5
"""What differs is looked at again so often, so much later each time: somebody may be working on it."""

INDEX_FIRST, DISK_FIRST = "index.files", "index.complete"


def check(patient: Patient) -> Iterator[Finding]:
    """The group."""
    scanned = {root["path"] for root in patient.roots if root["state"] not in {"scanning", "missing"}}
    if reason := why_not(patient, scanned):
        yield skipped(INDEX_FIRST, reason)
        return
    count = min(patient.sample, MOST)
    sample = inspected(patient, roots=sorted(scanned), sample=count, passages=patient.deep)
    yield known_files(patient, sample)
    yield files_on_disk(patient, random_files(sorted(scanned), count))
    if patient.deep:
        yield from views.check(patient, sample)


def why_not(patient: Patient, scanned: set[str]) -> str:
    """What keeps the two from being compared; empty where nothing does."""
    if not patient.sample:
        return "--sample is 0"
    if not patient.status:
        return "no daemon tells what it holds"
    if "index.inspect" not in patient.hello.get("methods", []):
        return "this daemon cannot show single files: it has another version"
    return "" if scanned else "no root has been scanned yet"


def inspected(patient: Patient, **what: object) -> list[InspectedFile]:
    """What the index holds of files."""
    files: list[InspectedFile] = patient.request("index.inspect", **what)["files"]
    return files


def known_files(patient: Patient, sample: list[InspectedFile]) -> Finding:
    """Whether files of the index are on the disk as the index has them."""
    wrong = twice(patient, sample, differs)
    waiting = sum(file["state"] == "pending" for file in sample)
    about = f"{len(sample):,} files of the index compared" + (f", {waiting:,} are to be read" if waiting else "")
    return judged(INDEX_FIRST, patient, about, "differ from the disk", wrong)


def files_on_disk(patient: Patient, paths: list[str]) -> Finding:
    """Whether files of the disk are in the index, unless the rules leave them out."""
    found = inspected(patient, paths=paths)
    wrong = twice(patient, found, lost)
    ignored = sum(file["state"] == "ignored" for file in found)
    about = f"{len(found):,} files of the disk looked up, {ignored:,} of them are ignored"
    return judged(DISK_FIRST, patient, about, "are missing in the index", wrong)


def differs(file: InspectedFile) -> str:
    """In what an indexed file is not as on the disk; empty where it is, or waits to be read again."""
    if file["state"] != "indexed":
        return ""
    try:
        now = os.lstat(file["path"])
    except OSError:
        return "not on disk"
    if now.st_size != file["size"]:
        return "another size"
    return "" if now.st_mtime_ns == file["modified_ns"] else "another time"


def lost(file: InspectedFile) -> str:
    """Why a file of the disk should be in the index."""
    return "missing" if file["state"] == "missing" and os.path.lexists(file["path"]) else ""


def twice(
    patient: Patient, files: Iterable[InspectedFile], fault: Callable[[InspectedFile], str]
) -> list[InspectedFile]:
    """Those with a fault, also after the index had time to take in what has just changed.

    It is not asked to (``index.wait``): that would have everything scanned, and mend what is to be found here.
    """
    suspects = [file for file in files if fault(file)]
    for _ in range(LOOKS if suspects else 0):
        time.sleep(PAUSE_SECONDS)
        again = inspected(patient, paths=[file["path"] for file in suspects])
        suspects = [file for file in again if fault(file)]
    return suspects


def judged(name: str, patient: Patient, about: str, what: str, wrong: list[InspectedFile]) -> Finding:
    """The finding. Where directories are polled, the index may be behind for a while."""
    if not wrong:
        return ok(name, about)
    polled = {root["path"] for root in patient.roots if root["polled_directories"]}
    result = WARNING if all(file["root"] in polled for file in wrong) else PROBLEM
    names = some([file["path"] for file in wrong])
    mend = f"agentctl reindex {shlex.quote(wrong[0]['root'])}, then look again"
    return Finding(name, result, f"{about}: {len(wrong):,} {what}: {names}", "none", mend)
