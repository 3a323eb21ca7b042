"""Runs of the agent in a whole daemon, over real folders: what the model sees, what clients see, and what is kept."""

from __future__ import annotations

import json
import signal
import sqlite3
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

import pytest
from chat_script import calls, configured, hangs, results, says
from daemon_harness import KEYWORD_ONLY, QUICK, Daemon, until
from provider_harness import failure
from provider_thread import Servers, servers

from agentd.client import AgentdClientError, Client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentd.client import Stream

ENGINE = '''"""How requests are tried again."""

MOST_TRIES = 3


def backoff(attempt):
    """Seconds to wait before the next attempt, doubled each time."""
    return 2**attempt
'''
TASK = "how long does backoff() wait before the next attempt?"
ANSWER = "It waits `2**attempt` seconds [1]."
SEARCH = ("semantic_search", {"query": "how long does backoff wait"})
WORD, SECRET = "zqagentzq", "zqsecretzq"
"""Made up, so that they stand nowhere else; the second is in a file, and in no task."""


COMMAND = """
[[tool]]
name = "shout"
description = "Says a word in capitals."
command = ["python3", "-c", "import sys; print(sys.argv[1].upper())", "{word}"]
parameters = { word = { type = "string" } }
"""


class Acting:
    """A daemon with a scripted model, and two roots that it may read."""

    def __init__(self, daemon: Daemon, served: Servers, engine: Path, other: Path) -> None:
        self.daemon = daemon
        self.model = served.scripted
        self.engine = engine
        self.other = other

    def follow(self, **options: Any) -> tuple[Client, Stream, str]:
        """A run on a connection of its own, and its id, once it has begun."""
        client = Client(str(self.daemon.socket), timeout=30)
        stream = client.stream("agent.run", **({"task": TASK} | options))
        return client, stream, cast("dict[str, str]", next(stream))["run"]

    def begin(self, **options: Any) -> tuple[Client, str]:
        """The same, once its model has begun to write."""
        client, stream, run_id = self.follow(**options)
        assert next(event for event in stream if event["event"] in {"chunk", "thinking"})
        return client, run_id

    @property
    def client(self) -> Client:
        return self.daemon.client

    def states(self) -> list[str]:
        return [each["state"] for each in self.client.runs()["runs"]]


@pytest.fixture(scope="module")
def acting_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acting]:
    place = tmp_path_factory.mktemp("agent")
    engine, other = place / "engine", place / "other"
    for folder in (engine, other):
        folder.mkdir()
    (engine / "retry.py").write_text(ENGINE)
    (other / "notes.md").write_text(f"# Notes\n\nThe {WORD} is about backoff and {SECRET}, too.\n")
    with servers() as served:
        config = QUICK.replace("drain_seconds = 5.0", "drain_seconds = 0.5")
        config += configured(served, "max_running = 2") + COMMAND
        with Daemon(place / "place", config=config, **KEYWORD_ONLY) as daemon:
            yield Acting(daemon, served, engine, other)


@pytest.fixture
def acting(acting_once: Acting) -> Iterator[Acting]:
    acting = acting_once
    acting.model.asked.clear()
    for folder in (acting.engine, acting.other):
        acting.client.add_root(str(folder))
    acting.client.wait("keyword")
    yield acting
    for head in acting.client.runs(limit=500)["runs"]:
        if head["state"] == "running":
            acting.client.stop_run(head["id"])


def test_a_run_of_three_turns_is_told_as_it_happens_and_kept_as_it_was(acting: Acting) -> None:
    acting.model.replies(
        calls(SEARCH, ("read_span", {"path": "retry.py", "start_line": 6, "end_line": 8}), thought="Let me look."),
        calls(("find_symbol", {"name": "backoff"}), ("no_such_tool", {})),
        says(ANSWER),
    )
    stream = acting.client.stream("agent.run", task=TASK, roots=[str(acting.engine)])
    events = list(stream)
    run = stream.result
    assert run["answer"] == ANSWER
    assert (run["state"], run["limit"], run["model"], run["error"]) == ("answered", "", "scripted/m", None)
    assert run["counts"] == {"turns": 3, "tool_calls": 4, "tool_errors": 1, "cached": 0}
    assert run["roots"] == [str(acting.engine)]
    assert run["citations"][0]["path"] == str(acting.engine / "retry.py")
    assert "2**attempt" in run["citations"][0]["text"]

    kinds = [event["event"] for event in events]
    assert (kinds[0], kinds[-1]) == ("started", "done")
    assert {event.get("run", run["id"]) for event in events} == {run["id"]}
    assert kinds.count("tool_call") == kinds.count("tool_result") == 4
    chunks = "".join(event["text"] for event in events[last(kinds, "discarded") :] if event["event"] == "chunk")
    assert chunks == ANSWER

    trace = acting.client.trace(run["id"])
    assert trace["run"] == run
    assert [[call["tool"] for call in turn["calls"]] for turn in trace["turns"]] == [
        ["semantic_search", "read_span"],
        ["find_symbol", "no_such_tool"],
        [],
    ]
    told = [call["text"] for turn in trace["turns"] for call in turn["calls"]]
    assert results(acting.model.asked[2]) == told
    assert trace["turns"][0]["thinking"] == "Let me look."
    assert trace["turns"][0]["calls"][1]["input"] == {"path": "retry.py", "start_line": 6, "end_line": 8}
    assert [call["outcome"] for call in trace["turns"][1]["calls"]] == ["ok", "retry"]
    assert run["usage"] == {"input_tokens": 33, "output_tokens": 21, "counted": True}
    assert acting.client.runs(limit=1)["runs"] == [
        {"id": run["id"], "at": run["at"], "state": "answered", "task": TASK}
    ]


def last(kinds: list[str], kind: str) -> int:
    return max((at for at, each in enumerate(kinds) if each == kind), default=0)


def test_a_run_sees_the_roots_that_it_is_about_alone(acting: Acting) -> None:
    acting.model.replies(calls(("semantic_search", {"query": WORD})), says("Nothing."))
    run = acting.client.agent(f"what is {WORD}?", roots=[str(acting.engine)])
    assert f"The {WORD} is about" not in json.dumps([each.body for each in acting.model.asked])
    acting.model.replies(calls(("semantic_search", {"query": WORD})), says(f"The {WORD} is about backoff [1]."))
    everywhere = acting.client.agent(f"what is {WORD}?")
    assert (run["roots"], everywhere["roots"]) == ([str(acting.engine)], [str(acting.other)])


def test_tools_are_those_asked_for_and_unknown_ones_are_named(acting: Acting) -> None:
    acting.model.replies(says("Done."))
    acting.client.agent(TASK, tools=["read_span", "find_symbol"])
    offered = [each["function"]["name"] for each in acting.model.asked[0].body["tools"]]
    assert sorted(offered) == ["find_symbol", "read_span"]
    with pytest.raises(AgentdClientError, match="read_span") as refused:
        acting.client.agent(TASK, tools=["read_spam"])
    assert (refused.value.kind, refused.value.data["field"]) == ("invalid_params", "tools")
    with pytest.raises(AgentdClientError, match="needs `web`"):
        acting.client.agent(TASK, tools=["web_search"])
    with pytest.raises(AgentdClientError, match="no server is configured"):
        acting.client.agent(TASK, tools=["web_search"], web=True)


def test_a_task_of_blanks_asks_no_model(acting: Acting) -> None:
    with pytest.raises(AgentdClientError, match="found nothing but blanks") as refused:
        acting.client.agent(" \n ")
    assert refused.value.kind == "invalid_params"
    assert not acting.model.asked


def test_a_command_of_the_configuration_is_a_tool(acting: Acting) -> None:
    acting.model.replies(calls(("shout", {"word": "quiet"})), says("It is QUIET."))
    run = acting.client.agent("shout it", tools=["shout"], roots=[str(acting.engine)])
    assert "QUIET" in results(acting.model.asked[1])[0]
    assert run["tools"] == {"shout": 1}
    assert run["roots"] == [str(acting.engine)]


def test_a_client_that_goes_away_ends_its_run_unless_it_is_to_be_kept(acting: Acting) -> None:
    acting.model.replies(hangs())
    client, gone = acting.begin()
    other, kept = acting.begin(keep=True)
    assert acting.states()[:2] == ["running", "running"]
    client.close()
    other.close()
    until(lambda: acting.client.trace(gone)["run"]["state"] == "cancelled", "it was noticed")
    assert acting.client.trace(kept)["run"]["state"] == "running"
    assert acting.client.trace(kept)["turns"]
    assert acting.client.stop_run(kept) is True
    assert acting.client.stop_run(kept) is False
    assert acting.states()[:2] == ["cancelled", "cancelled"]


def test_a_kept_run_ends_well_without_anybody(acting: Acting) -> None:
    release = threading.Event()

    def slow(_asked: object) -> Any:
        release.wait(10)
        return says(ANSWER)

    acting.model.replies(calls(SEARCH), slow)
    client, _, run_id = acting.follow(keep=True)
    client.close()
    release.set()
    until(lambda: acting.client.trace(run_id)["run"]["state"] == "answered", "it went on")
    assert acting.client.trace(run_id)["run"]["answer"] == ANSWER


def test_a_run_that_is_stopped_tells_its_client(acting: Acting) -> None:
    acting.model.replies(hangs())
    client, stream, run_id = acting.follow()
    until(lambda: acting.model.asked, "the model was asked")
    assert acting.client.stop_run(run_id) is True
    with pytest.raises(AgentdClientError) as ended:
        list(stream)
    assert (ended.value.kind, ended.value.data["run"]) == ("cancelled", run_id)
    client.close()
    with pytest.raises(AgentdClientError, match="agentctl runs"):
        acting.client.stop_run("nowhere")


def test_beyond_so_many_runs_the_daemon_is_busy_and_says_how_many_go_on(acting: Acting) -> None:
    acting.model.replies(hangs())
    first, second = acting.begin()[0], acting.begin()[0]
    with pytest.raises(AgentdClientError, match=r"2 runs.*max_running") as busy:
        acting.client.agent(TASK)
    assert busy.value.kind == "busy"
    assert busy.value.data["retry_after_ms"] > 0
    assert acting.client.stats()["agent"]["running"] == 2
    assert "agentd_agent_runs_running 2" in acting.client.metrics()
    for client in (first, second):
        client.close()
    until(lambda: acting.client.stats()["agent"]["running"] == 0, "they ended")


def test_a_deadline_bounds_the_run(acting: Acting) -> None:
    acting.model.replies(calls(SEARCH), hangs())
    began = time.monotonic()
    run = acting.client.agent(TASK, deadline_ms=1500)
    assert time.monotonic() - began < 3.5
    assert (run["state"], run["limit"]) == ("answered", "seconds")
    assert "MOST_TRIES" in run["answer"] or "backoff" in run["answer"]


def test_figures_and_lines_tell_of_runs_and_never_of_what_was_asked(acting: Acting) -> None:
    acting.model.replies(calls(("read_span", {"path": f"{WORD}.py"})), says("Done."))
    run = acting.client.agent(f"what is {WORD}?")
    figures = acting.client.metrics()
    assert 'agentd_agent_tool_calls_total{tool="read_span",outcome="retry"}' in figures
    assert 'agentd_agent_runs_total{state="answered"}' in figures
    lines = [json.loads(line) for line in acting.daemon.log.splitlines() if run["id"] in line]
    assert [line["event"] for line in lines] == ["run_started", "tool_failed", "run_ended"]
    assert lines[1]["kind"] == "tool_input"
    assert (lines[2]["state"], lines[2]["turns"], lines[2]["tool_calls"]) == ("answered", 2, 1)
    assert WORD not in figures + json.dumps(lines)


def test_a_removed_root_takes_its_runs_along_and_ends_those_that_saw_it(acting: Acting) -> None:
    acting.model.replies(calls(("semantic_search", {"query": WORD})), says(f"The {WORD} is here [1]."))
    saw = acting.client.agent(f"what is {WORD}?")
    acting.model.replies(says("Nothing."))
    asked = acting.client.agent("and this?", roots=[str(acting.engine)])
    acting.model.replies(calls(("semantic_search", {"query": WORD})), hangs())
    client, stream, run_id = acting.follow(task=f"where is {WORD}?")
    assert next(event for event in stream if event["event"] == "chunk")
    purged = acting.daemon.log.count('"event": "purged"')
    assert any(SECRET.encode() in path.read_bytes() for path in acting.daemon.state.glob("runs.db*"))
    acting.client.remove_root(str(acting.other))
    with pytest.raises(AgentdClientError) as ended:
        list(stream)
    assert ended.value.kind == "root_not_found"
    client.close()
    ids = [each["id"] for each in acting.client.runs(limit=500)["runs"]]
    assert saw["id"] not in ids
    assert ended.value.data["run"] == run_id not in ids
    assert asked["id"] in ids
    until(lambda: acting.daemon.log.count('"event": "purged"') > purged, "the purge is done")
    assert all(SECRET.encode() not in path.read_bytes() for path in acting.daemon.state.glob("runs.db*"))


def test_a_reload_gives_and_takes_the_model(acting: Acting) -> None:
    daemon = acting.daemon
    config = daemon.config.read_text()

    def reload(text: str) -> None:
        before = daemon.log.count('"event": "reloaded"')
        daemon.config.write_text(text)
        daemon.signal(signal.SIGHUP)
        until(lambda: daemon.log.count('"event": "reloaded"') > before, "it was reloaded")

    reload(config.replace('chain = ["scripted"]', "chain = []"))
    with pytest.raises(AgentdClientError, match=r"\[chat\] chain") as without:
        acting.client.agent(TASK)
    assert without.value.kind == "no_provider"
    reload(config.replace(COMMAND, ""))
    with pytest.raises(AgentdClientError, match="`shout`"):
        acting.client.agent(TASK, tools=["shout"])
    reload(config)
    acting.model.replies(says("Done."))
    assert acting.client.agent(TASK)["state"] == "answered"


def test_a_model_that_fails_is_told_with_the_run_and_kept(acting: Acting) -> None:
    acting.model.replies(says("Done."))
    acting.client.agent(TASK)
    acting.model.replies(failure("401 Unauthorized", "bad key"))
    with pytest.raises(AgentdClientError) as failed:
        acting.client.agent(TASK)
    trace = acting.client.trace(failed.value.data["run"])
    assert trace["run"]["state"] == "failed"
    assert trace["run"]["error"] == {"kind": failed.value.kind, "message": failed.value.message}


def test_kill_9_leaves_finished_runs_and_says_of_others_that_they_were_interrupted(acting: Acting) -> None:
    acting.daemon.kill()
    acting.daemon.start()
    acting.client.wait("keyword")
    acting.model.replies(calls(SEARCH), says(ANSWER), calls(SEARCH), hangs())
    finished = acting.client.agent(TASK)
    client, _, run_id = acting.follow(roots=[str(acting.engine)])
    until(lambda: b'"tool":"semantic_search"' in stored(acting.daemon.state, run_id), "its first turn is kept")
    acting.daemon.kill()
    client.close()
    acting.daemon.start()
    assert acting.client.trace(finished["id"])["run"] == finished
    trace = acting.client.trace(run_id)
    assert trace["run"]["state"] == "interrupted"
    assert trace["run"]["counts"]["turns"] == len(trace["turns"]) >= 1
    assert trace["turns"][0]["calls"][0]["outcome"] == "ok"
    assert acting.states()[:2] == ["interrupted", "answered"]


def stored(state: Path, run_id: str) -> bytes:
    with closing(sqlite3.connect(f"file:{state}/runs.db?mode=ro", uri=True, timeout=5)) as reader:
        (body,) = reader.execute("SELECT body FROM run WHERE id = ?", (run_id,)).fetchone()
        return bytes(body)


@pytest.mark.parametrize("keep", [True, False])
def test_a_daemon_that_stops_keeps_what_there_is_of_a_run(acting: Acting, *, keep: bool) -> None:
    acting.model.replies(calls(SEARCH), hangs())
    client, run_id = acting.begin(keep=keep)
    assert acting.daemon.stop() == 0
    client.close()
    acting.daemon.start()
    trace = acting.client.trace(run_id)
    assert trace["run"]["state"] == "interrupted"
    assert [call["outcome"] for call in trace["turns"][0]["calls"]] == ["ok"]
