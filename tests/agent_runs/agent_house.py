"""One daemon over a small project, with the model's server, a site of the web and a clean slate for every run."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import web_harness as web
from agent_project import PAGE, write_project
from agent_script import Json, Says, Script, numbered
from daemon_harness import QUICK, Daemon, until
from provider_harness import Asked, Reply, ScriptedServer, failure

from agentd.client import AgentdClientError, Client

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
        self.project = daemon.place / "project"
        self.private = daemon.place / "private"
        self._config = config
        self._models = {id(script): model for model, script in models.items()}

    def another_client(self) -> Client:
        """One of somebody else, for a thread of its own."""
        return Client(str(self.daemon.socket), timeout=WAIT_SECONDS)

    def commands(self) -> list[int]:
        """Process ids of what the user's commands run."""
        children = psutil.Process(self.daemon.pid).children(recursive=True)
        return [child.pid for child in children if child.name() == "sleep"]

    def carry_out(self, script: Script) -> Outcome:
        """One run to its end, whoever ends it."""
        self._choose(script)
        client = Client(str(self.daemon.socket), timeout=WAIT_SECONDS)
        with closing(client):
            outcome = Outcome(self, script, client)
            self.peers.play(self, outcome)
            began = time.monotonic()
            self._follow(outcome)
            outcome.seconds = time.monotonic() - began
        if script.kept:
            until(lambda: self._ended(outcome), "the run has ended")
        return outcome

    def _choose(self, script: Script) -> None:
        """Have the daemon use the model of ``script``."""
        model = self._models[id(script)]
        chain = [model, *([f"{model}-spare"] if script.spare else [])]
        before = self.daemon.log.count('"reloaded"')
        self.daemon.config.write_text(f"{self._config}\n[chat]\nchain = {json.dumps(chain)}\n")
        self.daemon.signal(signal.SIGHUP)
        until(lambda: self.daemon.log.count('"reloaded"') > before, "the model is chosen")

    def _follow(self, outcome: Outcome) -> None:
        """Read what the daemon tells, and do upon the first event of a kind what the script wants done."""
        script = outcome.script
        where = {} if script.roots is None else {"roots": [str(self.daemon.place / name) for name in script.roots]}
        task = script.task.replace("SITE", self.peers.site.url(""))
        stream = outcome.client.stream("agent.run", task=task, **where, **script.options)
        outcome.request = stream.id
        waiting = dict(script.on)
        try:
            for event in stream:
                outcome.events.append(dict(event))
                outcome.run = outcome.run or event.get("run", "")
                if act := waiting.pop(event["event"], None):
                    act(outcome)
                if outcome.gone:
                    return
            outcome.result = stream.result
        except AgentdClientError as error:
            outcome.error = error
            outcome.run = outcome.run or error.data.get("run", "")

    def _ended(self, outcome: Outcome) -> bool:
        outcome.trace = dict(self.daemon.client.trace(outcome.run))
        return outcome.trace["run"]["state"] in DONE


class Peers:
    """The servers: one for all models, and one for all of the web, on a loop in a thread of their own."""

    def __init__(self) -> None:
        self.model = ScriptedServer()
        self.site = web.Site()
        self.model.script = self._answer
        self._house: House | None = None
        self._outcome: Outcome | None = None
        self._answers: Iterator[Says] = iter(())

    def play(self, house: House, outcome: Outcome) -> None:
        """From now on answer for this run."""
        self._house, self._outcome, self._answers = house, outcome, outcome.script.answers()

    async def _answer(self, asked: Asked) -> Reply:
        assert self._outcome is not None
        self._outcome.asked.append(asked.body)
        said = next(self._answers, None)
        if said is None:
            return failure("500 Internal Server Error", "the script is at its end")
        self._outcome.said.append(said)
        if said.first is not None:
            assert self._house is not None
            await asyncio.to_thread(said.first, self._house)
        return said.reply(len(self._outcome.asked), asked.body, self.site.url(""))

    async def listen(self) -> list[asyncio.Server]:
        listeners = [
            await asyncio.start_server(self.model.serve, "127.0.0.1", 0, limit=64 * 1024 * 1024),
            await asyncio.start_server(self.site.accept, "127.0.0.1", 0),
        ]
        self.model.url = f"http://127.0.0.1:{listeners[0].sockets[0].getsockname()[1]}"
        self.site.port = listeners[1].sockets[0].getsockname()[1]
        return listeners

    async def stop(self, listeners: Sequence[asyncio.Server]) -> None:
        self.model.let_go.set()
        for listener in listeners:
            listener.close()
        await self.site.stop()
        if others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others, timeout=5)


@contextmanager
def peers() -> Iterator[Peers]:
    """On free ports of loopback, until the end of the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    with closing(loop):
        served = Peers()
        listeners = loop.run_until_complete(served.listen())
        thread.start()
        try:
            yield served
        finally:
            asyncio.run_coroutine_threadsafe(served.stop(listeners), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()


QUICK_PROVIDER = {"kind": "openai", "chat_model": "scripted", "context_tokens": 32_768, "retries": 0}
TOOLS = """
[[tool]]
name = "count_words"
description = "Count the words of a text."
command = ["wc", "-w"]
input = "json"
parameters.text = { type = "string" }

[[tool]]
name = "shout"
description = "Say a word."
command = ["echo", "You said {word}!"]
parameters.word = { type = "string", maxLength = 20 }

[[tool]]
name = "break_down"
description = "Fail."
command = ["sh", "-c", "echo it is broken >&2; exit 3"]

[[tool]]
name = "dawdle"
description = "Take long."
command = ["sleep", "30"]
timeout_seconds = 0.3

[[tool]]
name = "dream"
description = "Take very long."
command = ["sleep", "60"]
timeout_seconds = 60

[[tool]]
name = "flood"
description = "Say a lot."
command = ["yes", "flooding"]
timeout_seconds = 5

[[tool]]
name = "count_up"
description = "Say all numbers."
command = ["seq", "99999"]
max_output_bytes = 2048
"""
OPEN, CLOSED = ("project", "moving"), ("private",)


@contextmanager
def house(place: Path, scripts: Sequence[Script]) -> Iterator[House]:
    """The daemon over its folders, with a model for each script."""
    write_project(place)
    models = numbered(scripts)
    with peers() as served:
        served.site.pages |= {"/search": web.answer(json.dumps({"results": [hit(served)]}), kind="application/json")}
        served.site.pages |= {"/otters": web.answer(PAGE)}
        config = "\n".join(configuration(place, served, models))
        daemon = Daemon(place, config=config)
        daemon.program = [str(WEB_DAEMON), str(served.site.port)]
        with daemon:
            daemon.client.add_root(str(place / "passing"))
            daemon.client.wait("vectors", timeout=30)
            yield House(daemon, served, config, models)


def hit(served: Peers) -> Json:
    return {"url": served.site.url("/otters"), "title": "Otters", "content": "How the sea otter sleeps."}


def configuration(place: Path, served: Peers, models: Mapping[str, Script]) -> Iterator[str]:
    """All but the chain of the run."""
    yield QUICK + f'[web]\nsearxng = "{served.site.url("", "127.0.0.1")}"\nrespect_robots = false\n'
    yield from (f'[[root]]\npath = "{place / name}"\negress = ["web"]' for name in OPEN)
    yield from (f'[[root]]\npath = "{place / name}"' for name in CLOSED)
    yield TOOLS
    for model, script in models.items():
        yield from provider(model, served, script.provider)
        if script.spare:
            yield from provider(f"{model}-spare", served, {"chat_model": "spare"})


def provider(name: str, served: Peers, special: Json) -> Iterator[str]:
    yield "[[provider]]"
    about = {"name": name, "base_url": f"{served.model.url}/v1"} | QUICK_PROVIDER | special
    yield from (f"{key} = {json.dumps(value)}" for key, value in about.items())
