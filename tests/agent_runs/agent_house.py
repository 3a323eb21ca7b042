"""One daemon over a small project, with the model's server, a site of the web and a clean slate for every run."""

from __future__ import annotations

import json
import signal
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from agent_peers import peers
from agent_project import write_project
from agent_script import numbered
from agent_settings import configuration
from daemon_harness import Daemon, until

from agentd.client import AgentdClientError, Client

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from agent_peers import Peers
    from agent_script import Json, Says, Script

WEB_DAEMON = Path(__file__).with_name("web_daemon.py")
WAIT_SECONDS = 20.0
"""For one event of a run. Nothing here takes as long."""
DONE = frozenset({"answered", "failed", "cancelled", "interrupted"})


@dataclass
class Outcome:
    """A run as the client saw it, as it is kept, and as the server saw it."""

    house: House
    script: Script
    client: Client
    request: int = 0
    run: str = ""
    events: list[Json] = field(default_factory=list)
    result: Json | None = None
    error: AgentdClientError | None = None
    trace: Json = field(default_factory=dict)
    asked: list[Json] = field(default_factory=list)
    said: list[Says] = field(default_factory=list)
    seconds: float = 0.0
    gone: bool = False
    """Whether the client has left."""

    def of(self, kind: str) -> list[Json]:
        """The events of a kind."""
        return [event for event in self.events if event["event"] == kind]

    @property
    def calls(self) -> list[Json]:
        """All calls of the trace."""
        return [each for turn in self.trace["turns"] for each in turn["calls"]]


class House:
    """Who a script can act upon."""

    def __init__(self, daemon: Daemon, peers: Peers, config: str, models: Mapping[str, Script]) -> None:
        self.daemon = daemon
        self.peers = peers
        self.outcomes: list[Outcome] = []
        """Of all runs so far."""
        self._config = self._chosen = config
        self._models = {id(script): model for model, script in models.items()}

    def another_client(self) -> Client:
        """A connection of its own."""
        return Client(str(self.daemon.socket), timeout=WAIT_SECONDS)

    def commands(self) -> list[int]:
        """Process ids of what the user's commands run."""
        found = []
        for child in psutil.Process(self.daemon.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                found += [child.pid] if child.name() == "sleep" else []
        return found

    def carry_out(self, script: Script) -> Outcome:
        """One run to its end, whoever ends it."""
        self._choose(script)
        with closing(self.another_client()) as client:
            outcome = Outcome(self, script, client)
            self.peers.play(self, outcome)
            began = time.monotonic()
            self._follow(outcome)
            outcome.seconds = time.monotonic() - began
        if script.kept:
            until(lambda: self._ended(outcome), "the run has ended")
        self.outcomes.append(outcome)
        return outcome

    def _choose(self, script: Script) -> None:
        """Have the daemon use the model of ``script``."""
        model = self._models[id(script)]
        chain = [model, *([f"{model}-spare"] if script.spare else [])]
        self._chosen = f"{self._config}\n[chat]\nchain = {json.dumps(chain)}\n"
        self.reload(self._chosen)

    def close_the_web(self) -> None:
        """Let nothing of any root into it, until the next run."""
        self.reload(self._chosen.replace('egress = ["web"]', "egress = []"))

    def reload(self, config: str) -> None:
        """Have the daemon take another configuration."""
        before = self.daemon.log.count('"reloaded"')
        self.daemon.config.write_text(config)
        self.daemon.signal(signal.SIGHUP)
        until(lambda: self.daemon.log.count('"reloaded"') > before, "the configuration is taken")

    def _follow(self, outcome: Outcome) -> None:
        """Read what the daemon tells, and do upon the first event of a kind what the script wants done."""
        script = outcome.script
        roots = [str(self.daemon.place / name) for name in script.roots]
        task = script.task.replace("SITE", self.peers.site.url(""))
        stream = outcome.client.stream("agent.run", task=task, roots=roots, **script.options)
        outcome.request = stream.id
        waiting = dict(script.on)
        try:
            for event in stream:
                outcome.events.append(dict(event))
                outcome.run = str(event.get("run", outcome.run))
                if act := waiting.pop(event["event"], None) or waiting.pop(len(outcome.events), None):
                    act(outcome)
                if outcome.gone:
                    return
            outcome.result = stream.result
        except AgentdClientError as error:
            outcome.error = error
            outcome.run = outcome.run or str(error.data["run"])

    def _ended(self, outcome: Outcome) -> bool:
        outcome.trace = dict(self.daemon.client.trace(outcome.run))
        return outcome.trace["run"]["state"] in DONE


@contextmanager
def house(place: Path, scripts: Sequence[Script]) -> Iterator[House]:
    """The daemon over its folders, with a model for each script."""
    write_project(place)
    models = numbered(scripts)
    with peers() as served:
        config = "\n".join(configuration(place, served, models))
        daemon = Daemon(place, config=config)
        daemon.program = [str(WEB_DAEMON), str(served.site.port)]
        with daemon:
            daemon.client.add_root(str(place / "passing"))
            daemon.client.wait("vectors", timeout=30)
            yield House(daemon, served, config, models)
