"""One state directory through many kills, all drawn from one seed, and everything that must hold after each of them."""

from __future__ import annotations

import os
import random
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psutil
from crash_clerk import Clerk, Ledger
from crash_corpus import Corpus
from daemon_harness import DEADLINE, QUICK, Daemon, alive, until
from state_audit import audit, keyword_rows, soundness

if TYPE_CHECKING:
    from collections.abc import Callable

    from crash_moments import Moment

    from agentd.client import Client

CONFIG = f"{QUICK}\n[maintenance]\ninterval_seconds = 0.3\n"
"""Maintenance runs all the time: it saves the vector view, trims the feed and gives back the keyword writer."""

TRIGGER_SECONDS = 4.0
"""A moment that has not come by then is not going to; the kill comes all the same."""
LOOK_SECONDS = 0.0005
FILES = 60


class Plan(NamedTuple):
    """What a scenario has prepared. Without a ``moment`` it has killed by itself, and the daemon lives on.

    ``recomputes`` says whether texts may have to be embedded after the kill.
    """

    moment: Moment | None
    recomputes: bool = True


class Life:
    """A daemon's state over many kills.

    ``base`` is a root by flag with modules that import each other; a clerk adds and removes further ones. At rest, that
    is outside of :meth:`strike` and :meth:`recover`, the daemon runs and is settled.
    """

    def __init__(self, place: Path, seed: int, *, vectors: bool) -> None:
        self.seed = seed
        self.rng = random.Random(seed)  # noqa: S311  seeded on purpose
        self.vectors = vectors
        self.place = place
        self.kills = 0
        self.ledger = Ledger()
        self.corpus = Corpus(place / "base", self.rng)
        self.corpus.grow(FILES)
        self._temporary = place / "tmp"
        self._temporary.mkdir()
        self.daemon = Daemon(
            place / "daemon",
            self.corpus.root,
            config=CONFIG,
            TMPDIR=str(self._temporary),
            AGENTD_EMBEDDING_ENABLED=str(vectors).lower(),
        )

    @property
    def state(self) -> Path:
        return self.daemon.state

    @property
    def database(self) -> Path:
        return self.state / "index.db"

    def begin(self) -> None:
        """The first start, and the first rest."""
        self.daemon.start()
        self.verify()

    def strike(self, scenario: Callable[[Life], Plan]) -> str:
        """One scenario with its kill, recovery included; returns what happened, in a few words.

        Raises:
            AssertionError: something does not hold that must; its notes say which kill of which seed it was.
        """
        self.kills += 1
        self._clerk = Clerk(self.daemon.socket, self.place / f"clerk_{self.kills}", self.ledger)
        story = f"seed {self.seed} kill {self.kills}: {scenario.__name__}"
        try:
            moment, recomputes = scenario(self)
            story += self._kill_at(moment) if moment else ", the daemon lives on"
            self._clerk.leave()
            if moment:
                self._after_the_kill()
            else:
                assert self._clerk.problem is None, self._clerk.problem
            self.recover(recomputes=recomputes)
        except BaseException as error:
            error.add_note(story)
            raise
        return story

    def work(self) -> None:
        """Have the clerk begin, who goes on until the kill."""
        self._clerk.start()

    def _kill_at(self, moment: Moment) -> str:
        began = time.monotonic()
        missed = False
        while not moment.reached() and not missed:
            time.sleep(LOOK_SECONDS)
            missed = time.monotonic() - began > TRIGGER_SECONDS
        process = self.daemon.process
        assert process is not None
        ended = process.poll() is not None
        process.kill()
        process.wait(DEADLINE)
        late = ", which did not come" if missed else ", after it had ended" if ended else ""
        return f", at {moment.what}{late} ({(time.monotonic() - began) * 1000:.0f} ms)"

    def _after_the_kill(self) -> None:
        """Nobody is left; all databases are sound; what a wait had promised is in database and keyword view."""
        until(lambda: not self._orphans(), "the workers end with the daemon", within=10)
        assert not (found := soundness(self.state)), found
        for root, promised in self.ledger.finished.items():
            assert self.daemon.indexed(root) == promised
            assert keyword_rows(self.state, self._root_id(root)) == self._chunk_ids(root)

    def recover(self, *, recomputes: bool = True) -> None:
        """Start again where it was killed, and hold it against everything."""
        if self.daemon.process is None or self.daemon.process.poll() is not None:
            self.daemon.kill()  # lets go of the connection
            self.daemon.start()
        self.verify()
        if not recomputes:
            assert self.daemon.client.stats()["embedding"]["computed"] == 0

    def verify(self) -> None:
        """Nothing acknowledged is lost; index, views and edges are what the disk says; nothing is left lying about."""
        daemon, client = self.daemon, self.daemon.client
        listed = {Path(root["path"]) for root in client.roots()} - {self.corpus.root}
        self.ledger.believe(listed)
        self._answered(client)
        for root in (self.corpus.root, *sorted(listed)):
            daemon.agrees(root)
        self._sound()
        self._healthy()
        assert not (left := sorted(self._temporary.iterdir())), left
        for root in sorted(listed)[1:]:  # one stays, to be there after the next kill
            self.ledger.finished.pop(root, None)
            self.ledger.roots.discard(root)
            client.remove_root(str(root))

    def _answered(self, client: Client) -> None:
        """Answers go a moment after the root that they were made from, where a kill came between."""

        def right() -> bool:
            kept = {each["id"] for each in client.answers(limit=500)["answers"]}
            with suppress(AssertionError):
                self.ledger.answered(kept)
                return True
            return False

        with suppress(AssertionError):
            until(right, within=10)
        self.ledger.answered({each["id"] for each in client.answers(limit=500)["answers"]})

    def _sound(self) -> None:
        """Removals are followed, and the vector view is saved, a moment after what they follow from."""
        found: list[str] = []

        def sound() -> bool:
            found[:] = audit(self.state, vectors=self.vectors)
            return not found

        with suppress(AssertionError):
            until(sound, within=10)
        assert not found, "\n".join(found)

    def _healthy(self) -> None:
        def problems() -> list[str]:
            return [each for each in self.daemon.client.health()["problems"] if "vectors are switched off" not in each]

        with suppress(AssertionError):
            until(lambda: not problems(), within=10)  # a failed service is struck off when it has run for a while
        assert not problems()

    def rest(self) -> None:
        """Stop the daemon as systemd would, so that something can be done to its state."""
        assert self.daemon.stop() == 0, self.daemon.log

    def end(self) -> None:
        """The last stop, and a last look."""
        self._sound()
        self.rest()
        assert not (found := audit(self.state, vectors=self.vectors)), found
        assert not self._orphans()

    def _orphans(self) -> list[int]:
        """Processes of this daemon, by their home directory, which is its alone."""
        home = str(self.daemon.place)
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.pid != os.getpid() and process.environ().get("HOME") == home:
                    found.append(process.pid)
        return alive(found)

    def _root_id(self, root: Path) -> int:
        return int(self._column("SELECT id FROM root WHERE path = ?", str(root))[0])

    def _chunk_ids(self, root: Path) -> list[int]:
        return self._column(
            "SELECT c.id FROM chunk c JOIN document d ON d.id = c.document_id JOIN root r ON r.id = d.root_id "
            "WHERE r.path = ? ORDER BY c.id",
            str(root),
        )

    def _column(self, sql: str, *parameters: str) -> list[int]:
        with closing(self.daemon.database()) as connection:
            return [value for (value,) in connection.execute(sql, parameters)]
