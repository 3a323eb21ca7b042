"""A client that works while its daemon is killed, and knows what it was promised."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

from daemon_harness import DEADLINE, on_disk

from agentd.client import AgentdClientError, Client

if TYPE_CHECKING:
    from pathlib import Path

    from daemon_harness import Tree


RETRY_SECONDS = 0.02


class Ledger:
    """What a daemon has acknowledged, and what it was asked for without an answer."""

    def __init__(self) -> None:
        self.roots: set[Path] = set()
        """Added, and not asked to go."""
        self.unsure: set[Path] = set()
        """Asked to come or to go, without an answer: both are right afterwards."""
        self.finished: dict[Path, Tree] = {}
        """What a finished wait has said is searchable, by root; nothing has been written there since."""
        self.answers: dict[str, Path] = {}
        """The root that each answer was made from, by its id."""

    def believe(self, listed: set[Path]) -> None:
        """Take what a daemon lists as what holds from now on.

        Raises:
            AssertionError: something acknowledged is not there, or something removed is.
        """
        assert self.roots <= listed, f"lost: {self.roots - listed}"
        assert listed <= self.roots | self.unsure, f"came back: {listed - self.roots - self.unsure}"
        self.roots, self.unsure = set(listed), set()

    def answered(self, kept: set[str]) -> None:
        """See that the answers ``kept`` are those that were given about roots which are still there.

        Raises:
            AssertionError: one is lost, or has outlived its root.
        """
        there = {answer for answer, root in self.answers.items() if root in self.roots}
        assert there <= kept, f"answers lost: {there - kept}"
        assert not (left := (set(self.answers) - there) & kept), f"answers about removed roots: {left}"
        self.answers = {answer: self.answers[answer] for answer in there}


class Clerk(threading.Thread):
    """Adds small roots, waits until they are searchable, asks about them and removes every second one, until the daemon
    is gone.
    """

    def __init__(self, socket: Path, folder: Path, ledger: Ledger) -> None:
        super().__init__(name="clerk", daemon=True)
        self._socket = socket
        self._folder = folder
        self._ledger = ledger
        self._leave = threading.Event()
        self._number = 0
        self.problem: AgentdClientError | None = None
        """The last error; there is none as long as the daemon lives."""

    def leave(self) -> None:
        """Finish what is being asked for, and end."""
        self._leave.set()
        if self.ident is not None:
            self.join(DEADLINE)

    def run(self) -> None:
        """Connect again whenever the connection breaks."""
        while not self._leave.is_set():
            try:
                with closing(Client(str(self._socket), timeout=DEADLINE)) as client:
                    while not self._leave.is_set():
                        self._serve(client)
            except AgentdClientError as error:
                self.problem = error
                self._leave.wait(RETRY_SECONDS)

    def _serve(self, client: Client) -> None:
        self._number += 1
        root = self._folder / f"root_{self._number}"
        self._add(client, root)
        self._ledger.answers[client.ask("what is common?", roots=[str(root)])["id"]] = root
        if self._number % 2 == 0:
            self._remove(client, root)

    def _add(self, client: Client, root: Path) -> None:
        for number in range(3):
            (root / "docs").mkdir(parents=True, exist_ok=True)
            (root / "docs" / f"note_{number}.md").write_text(f"# Note\n\nA common note, {root.name} {number}.\n")
        self._ledger.unsure.add(root)
        client.add_root(str(root))
        self._ledger.roots.add(root)
        self._ledger.unsure.discard(root)
        client.wait("keyword", timeout=DEADLINE)
        self._ledger.finished[root] = on_disk(root)

    def _remove(self, client: Client, root: Path) -> None:
        self._ledger.roots.discard(root)
        self._ledger.unsure.add(root)
        del self._ledger.finished[root]
        client.remove_root(str(root))
        self._ledger.unsure.discard(root)
