"""Twenty minutes of edits, branch switches, queries, slow clients and killed workers, and what they have cost.

Once a minute everything rests: the tree goes back to its first state, the daemon settles, and what it holds is sampled.
The index is the same each time, so that whatever has grown is a leak.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from daemon_harness import QUICK, Daemon, differences, on_disk, until
from state_audit import audit

from soak.clients import Asker, SlowClient, seconds_until_found
from soak.report import Outcome, report
from soak.sampling import sample
from soak.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFIG = f"""{QUICK}
[compute]
idle_seconds = 2.0

[embedding]
cache_memory_megabytes = 1

[maintenance]
interval_seconds = 2.0
"""
"""Idle workers leave soon and caches are full soon, so that a minute shows what a day does."""

BUSY_SECONDS = 45.0
SETTLE_SECONDS = 300.0
ASKERS = 2
MAINTENANCE_RUNS = 2
"""So many whole rounds, after everything has settled, give back what was held for work."""
CHECK_EVERY = 5
"""Index and disk are compared at every fifth rest, and at the last."""


def run_steady(place: Path, seed: int, minutes: float) -> bool:
    """Run, print a table for ``benchmarks/RESULTS.md``, and return whether every bar was met."""
    folder, load = (place / "steady").resolve(), os.getloadavg()[0]
    shutil.rmtree(folder, ignore_errors=True)
    rng = random.Random(seed)  # noqa: S311  seeded on purpose
    tree = Tree(folder / "root", rng)
    with Daemon(folder / "daemon", tree.root, config=CONFIG) as daemon:
        daemon.client.wait("vectors", timeout=SETTLE_SECONDS)
        outcome = Steady(daemon, tree, rng).run(minutes)
        if (code := daemon.stop()) != 0:
            outcome.problems.append(f"exit code {code}")
        outcome.problems += audit(daemon.state, vectors=True)
        outcome.failures = [line for line in daemon.log.splitlines() if '"level": "error"' in line]
    return report(outcome, seed, minutes, load)


class Steady:
    """One run. ``still`` is held by whoever wants the tree to stay as it is."""

    def __init__(self, daemon: Daemon, tree: Tree, rng: random.Random) -> None:
        self._daemon = daemon
        self._tree = tree
        self._rng = rng
        self._still = threading.Lock()
        self._outcome = Outcome()
        self._acts: tuple[Callable[[], None], ...] = (
            *(self._token,) * 8,
            *(tree.save_by_rename, tree.rename, tree.delete) * 2,
            tree.switch,
            self._kill_worker,
        )

    def run(self, minutes: float) -> Outcome:
        """Busy and rest in turns."""
        began = time.monotonic()
        self._rest(began)
        while time.monotonic() - began < 60 * minutes:
            self._busy()
            self._rest(began)
        self._compare()
        return self._outcome

    def _busy(self) -> None:
        """Everything at once. The seeds of the clients are drawn first, whatever the threads do then."""
        seeds = [self._rng.random() for _ in range(ASKERS + 1)]
        socket = self._daemon.socket
        askers = [Asker(socket, self._tree, self._still, random.Random(each)) for each in seeds[1:]]  # noqa: S311
        slow = SlowClient(socket, random.Random(seeds[0]))  # noqa: S311
        clients: tuple[Asker | SlowClient, ...] = (*askers, slow)
        for client in clients:
            client.start()
        due = time.monotonic() + BUSY_SECONDS
        while time.monotonic() < due:
            self._act()
            time.sleep(self._rng.uniform(0.0, 0.3))  # waits for nothing: it is the pace of the edits
        for client in clients:
            client.leave()
        for asker in askers:
            self._outcome.heard(asker)

    def _act(self) -> None:
        act = self._rng.choice(self._acts)
        self._outcome.acts[act.__name__.strip("_")] += 1
        if act == self._token:
            act()
        else:
            with self._still:
                act()

    def _token(self) -> None:
        with self._still:
            path, token = self._tree.write_token()
        seconds = seconds_until_found(self._daemon.client, path, token)
        if seconds is None:
            self._outcome.problems.append(f"{token} in {path} was not found in time")
        else:
            self._outcome.found_after.append(seconds)

    def _kill_worker(self) -> None:
        for pid in self._rng.sample(self._daemon.workers(), 1):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _rest(self, began: float) -> None:
        """Settle on the first state of the tree, and look."""
        client = self._daemon.client
        self._tree.go_to("main")
        client.wait("vectors", timeout=SETTLE_SECONDS)
        until(lambda: client.stats()["server"]["connections"] == 1, "the clients have gone")
        self._warm()
        runs = client.stats()["maintenance"]["runs"]
        until(lambda: client.stats()["maintenance"]["runs"] > runs + MAINTENANCE_RUNS, "maintenance has been")
        until(lambda: len(self._daemon.workers("bulk")) <= 1, "idle workers have left")
        until(lambda: not self._problems(), "the problems are struck off")
        minute = round((time.monotonic() - began) / 60, 1)
        self._outcome.samples.append(sample(self._daemon.pid, self._daemon.state, minute))
        print(self._outcome.samples[-1], flush=True)
        if len(self._outcome.samples) % CHECK_EVERY == 0:
            self._compare()

    def _warm(self) -> None:
        """Have the workers that are left, some of them new, load the model that those before had loaded."""
        path, _ = self._tree.write_token()
        self._daemon.client.wait("vectors", timeout=SETTLE_SECONDS)
        self._tree.go_to("main")
        self._daemon.client.wait("vectors", timeout=SETTLE_SECONDS)
        self._daemon.client.search(f"what is in {path.name}", mode="full")

    def _problems(self) -> list[str]:
        return list(self._daemon.client.health()["problems"])

    def _compare(self) -> None:
        found, expected = self._daemon.indexed(self._tree.root), on_disk(self._tree.root)
        if found != expected:
            self._outcome.problems.append(differences(found, expected))
