"""What the daemon costs while nothing happens, over a tree of 100,000 watched files."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

from agentd.config.settings import IndexSettings
from agentd.indexing.keeper import LONGEST_RESCAN_SECONDS, RESCAN_SHARE
from benchmarks.harness.daemon import Daemon
from benchmarks.harness.figures import Figure
from benchmarks.harness.processes import cpu_seconds
from benchmarks.harness.workspace import FULL

if TYPE_CHECKING:
    from pathlib import Path

    from agentd.client import Client
    from benchmarks.harness.workspace import Workspace

BAR_PERCENT = 0.5
FILES_IN_FOLDER = 10
FILES, QUICK_FILES = 100_000, 10_000
SETTLE_SECONDS = 35.0
"""Longer than idle workers stay, and than one round of the clean-up."""
BARE_LOOP = "import asyncio, uvloop; uvloop.run(asyncio.sleep({seconds}))"
PERCENT = 100


def run(workspace: Workspace) -> list[Figure]:
    """Index by keyword alone, wait until all is at rest, and count processor time for a while."""
    folder = workspace.tools / "idle"
    files = write_tree(folder / "tree", FILES if workspace.scale == FULL else QUICK_FILES)
    with (
        Daemon(folder / "daemon", folder / "tree", {"AGENTD_EMBEDDING_ENABLED": "false"}) as daemon,
        daemon.connect() as client,
    ):
        client.wait("keyword")
        root = client.status()["roots"][0]
        assert root["documents"] == files, f"expected {files} documents, found {root['documents']}"
        assert root["watched"], "expected every directory to be watched"
        time.sleep(SETTLE_SECONDS)
        resting = percent(daemon.pid, workspace.scale.idle_seconds)
        scans = scan_percent(daemon, client)
    bare = bare_percent(workspace.scale.idle_seconds)
    return [
        Figure(
            f"idle CPU, {files:,} watched files in {root['watched_directories']:,} directories",
            f"{resting + scans:.2f} % of a core ({resting:.2f} % at rest, {scans:.2f} % periodic scans)",
            f"an idle loop of uvloop {bare:.2f} %",
            f"{BAR_PERCENT:g} %",
            resting + scans < BAR_PERCENT,
        )
    ]


def write_tree(tree: Path, files: int) -> int:
    """Files of a line each, a few in a folder, folders in two levels."""
    for number in range(0, files, FILES_IN_FOLDER):
        folder = tree / f"part_{number // 1000}" / f"folder_{number // FILES_IN_FOLDER}"
        folder.mkdir(parents=True)
        for file in range(number, number + FILES_IN_FOLDER):
            (folder / f"file_{file}.txt").write_text(f"what file {file} says\n")
    return files


def percent(pid: int, seconds: float) -> float:
    """Of one core, over ``seconds``, by the process and its children."""
    before = cpu_seconds(pid)
    time.sleep(seconds)
    return PERCENT * (cpu_seconds(pid) - before) / seconds


def scan_percent(daemon: Daemon, client: Client) -> float:
    """Processor time of a scan that finds nothing, spread over the time between two periodic ones."""
    before, began = cpu_seconds(daemon.pid), time.perf_counter()
    client.wait("keyword")
    took, used = time.perf_counter() - began, cpu_seconds(daemon.pid) - before
    every = max(IndexSettings().rescan_seconds, min(RESCAN_SHARE * took, LONGEST_RESCAN_SECONDS))
    return PERCENT * used / every


def bare_percent(seconds: float) -> float:
    """Of one core, by an event loop that has nothing to do."""
    with subprocess.Popen([sys.executable, "-c", BARE_LOOP.format(seconds=2 * seconds + SETTLE_SECONDS)]) as process:
        try:
            time.sleep(2.0)  # it imports
            return percent(process.pid, seconds / 2)
        finally:
            process.kill()
