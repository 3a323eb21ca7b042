"""Questions to a real daemon: cited text is on disk, verified later, and gone with its root."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

import pytest
from daemon_harness import QUICK, Daemon, running

from agentd.answer.extract import OPENING
from agentd.client import AgentdClientError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENGINE = '''"""How requests are tried again."""

MOST_TRIES = 3


def backoff(attempt):
    """Seconds to wait before the next attempt, doubled each time."""
    return 2**attempt


def send(request):
    """Send a request, and try again with backoff where the server is overloaded."""
    for attempt in range(MOST_TRIES):
        backoff(attempt)
'''
QUESTION = "how long does backoff() wait before the next attempt?"


@pytest.fixture(scope="module")
def running_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("ask")) as daemon:
        yield daemon


@pytest.fixture
def daemon(running_daemon: Daemon, tmp_path: Path) -> Iterator[Daemon]:
    """The daemon with two roots, which it had never heard of before and forgets afterwards."""
    daemon = running_daemon
    for name in ("engine", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "engine" / "retry.py").write_text(ENGINE)
    (tmp_path / "other" / "notes.md").write_text("# Notes\n\nPrivate words about backoff and the next attempt.\n")
    for name in ("engine", "other"):
        daemon.client.add_root(str(tmp_path / name))
    daemon.client.wait("keyword")
    yield daemon
    for root in daemon.client.roots():
        daemon.client.remove_root(root["path"])


def test_an_extract_cites_what_is_on_disk_and_sources_are_streamed(daemon: Daemon, tmp_path: Path) -> None:
    stream = daemon.client.stream("ask", question=QUESTION, roots=[str(tmp_path / "engine")])
    events = list(stream)
    answer = stream.result
    assert {event["name"] for event in events if event["event"] == "source"} == {"documents", "graph", "web"}
    assert "".join(event["text"] for event in events if event["event"] == "chunk") == answer["answer"]
    assert answer["mode"] == "extractive"
    assert answer["sources"]["graph"]["state"] == "ok"
    assert answer["sources"]["web"] == {"state": "off", "milliseconds": 0, "found": 0, "reason": "not asked for"}
    assert answer["citations"]
    for citation in answer["citations"]:
        span = daemon.client.read_span(citation["path"], citation["start_line"], citation["end_line"])
        assert citation["text"].strip("\n") in span["text"]
        assert citation["hash"] == "sha256:" + hashlib.sha256(citation["text"].encode()).hexdigest()


def test_with_the_model_of_the_package_an_extract_is_narrowed_by_meaning(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "retry.py").write_text(ENGINE)
    with Daemon(tmp_path / "place", tmp_path / "root") as daemon:
        daemon.client.wait("vectors")
        answer = daemon.client.ask(QUESTION)
        assert answer["answer"].startswith(OPENING)


def test_text_of_a_root_that_was_not_asked_plays_no_part(daemon: Daemon, tmp_path: Path) -> None:
    answer = daemon.client.ask(QUESTION, roots=[str(tmp_path / "engine")])
    assert "Private" not in json.dumps(answer)
    assert answer["roots"] == [str(tmp_path / "engine")]
    assert "Private" in json.dumps(daemon.client.ask(QUESTION))


def test_the_web_is_off_unless_it_is_configured(daemon: Daemon) -> None:
    web = daemon.client.ask(QUESTION, web=True)["sources"]["web"]
    assert web["state"] == "off"
    assert "[web] searxng" in web["reason"]


def test_verify_says_what_moved_changed_and_went(daemon: Daemon, tmp_path: Path) -> None:
    file = tmp_path / "engine" / "retry.py"
    answer = daemon.client.ask(QUESTION, roots=[str(tmp_path / "engine")])
    assert daemon.client.verify(answer["id"])["current"]
    file.write_text("# A line above.\n" + ENGINE)
    moved = daemon.client.verify(answer["id"])
    assert moved["current"]
    assert all(each["moved"] for each in moved["citations"])
    first = answer["citations"][0]
    assert moved["citations"][0]["start_line"] == first["start_line"] + 1
    file.write_text(ENGINE.replace("2**attempt", "3**attempt").replace("MOST_TRIES", "TRIES"))
    assert "changed" in {each["state"] for each in daemon.client.verify(answer["id"])["citations"]}
    file.unlink()
    gone = daemon.client.verify(answer["id"])
    assert {each["state"] for each in gone["citations"]} == {"gone"}
    assert not gone["current"]


def test_what_is_cited_of_a_root_that_is_away_is_gone_though_the_index_keeps_it(daemon: Daemon, tmp_path: Path) -> None:
    answer = daemon.client.ask(QUESTION, roots=[str(tmp_path / "engine")])
    (tmp_path / "engine").rename(tmp_path / "away")
    assert {each["state"] for each in daemon.client.verify(answer["id"])["citations"]} == {"gone"}
    (tmp_path / "away").rename(tmp_path / "engine")
    assert daemon.client.verify(answer["id"])["current"]


def test_the_whole_disk_is_named_where_it_is_no_root(daemon: Daemon) -> None:
    with pytest.raises(AgentdClientError, match=r"^/ is no root; .* `agentctl add /`"):
        daemon.client.ask(QUESTION, roots=["/"])


def test_an_answer_that_is_damaged_on_disk_is_told_as_that(daemon: Daemon) -> None:
    answer = daemon.client.ask(QUESTION)
    with closing(sqlite3.connect(daemon.state / "answers.db")) as database, database:
        database.execute("UPDATE answer SET body = ? WHERE id = ?", (b'{"broken', answer["id"]))
    for read in (daemon.client.answer, daemon.client.verify):
        with pytest.raises(AgentdClientError, match="damaged on disk"):
            read(answer["id"])


def test_answers_survive_kill_9_and_are_listed(daemon: Daemon) -> None:
    given = [daemon.client.ask(text) for text in (QUESTION, "what is MOST_TRIES?")]
    daemon.kill()
    daemon.start()
    page = daemon.client.answers()
    assert [each["id"] for each in page["answers"]] == [each["id"] for each in reversed(given)]
    assert daemon.client.answer(given[0]["id"]) == given[0]
    with pytest.raises(AgentdClientError, match="is kept") as error:
        daemon.client.answer("nowhere")
    assert error.value.kind == "not_found"


def test_a_removed_root_takes_its_answers_along(daemon: Daemon, tmp_path: Path) -> None:
    answer = daemon.client.ask(QUESTION)
    kept = daemon.client.ask(QUESTION, roots=[str(tmp_path / "engine")])
    assert str(tmp_path / "other") in answer["roots"]
    daemon.client.remove_root(str(tmp_path / "other"))
    assert [each["id"] for each in daemon.client.answers()["answers"]] == [kept["id"]]
    assert all(b"Private" not in path.read_bytes() for path in daemon.state.glob("answers.db*"))


def test_a_damaged_store_of_answers_costs_the_old_answers_alone(daemon: Daemon) -> None:
    daemon.client.ask(QUESTION)
    assert daemon.stop() == 0
    (daemon.state / "answers.db").write_bytes(b"no database" * 1000)
    daemon.start()
    assert daemon.client.answers()["total"] == 0
    assert daemon.client.answer(daemon.client.ask(QUESTION)["id"])["citations"]


def test_a_pdf_or_masked_secret_is_cited_by_what_the_index_holds(daemon: Daemon, tmp_path: Path) -> None:
    secret = "AKIA" + "Q3EGRZ7LMNOPXYWB"
    (tmp_path / "engine" / "keys.py").write_text(f'ACCESS_KEY_OF_THE_ARCHIVE = "{secret}"\nARCHIVE_REGION = "north"\n')
    daemon.client.wait("keyword")
    answer = daemon.client.ask("which ARCHIVE_REGION goes with ACCESS_KEY_OF_THE_ARCHIVE?")
    assert secret not in json.dumps(answer)
    assert any(each["path"].endswith("keys.py") for each in answer["citations"])
    assert daemon.client.verify(answer["id"])["current"]


def stream_of(text: str) -> bytes:
    """An answer of a server that speaks as OpenAI's does."""
    chunks = [
        {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ]
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"


class Model(BaseHTTPRequestHandler):
    """Gives other words when it is to give JSON, else writes an answer; remembers what it was shown."""

    shown: ClassVar[list[str]] = []
    broken = False

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        Model.shown.append(raw.decode())
        if Model.broken:
            self.send_error(401, "bad key")
            return
        other_words = '{"queries": ["waiting time", "retry delay"]}'
        text = (
            other_words if b"response_format" in raw else "The wait is `2**attempt` seconds [1]. Bananas are 7 [1][99]."
        )
        body = stream_of(text)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Quiet."""


def test_a_model_of_the_configuration_writes_and_its_failure_is_named(tmp_path: Path) -> None:
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "retry.py").write_text(ENGINE)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = QUICK + (
        f'[[provider]]\nname = "mock"\nkind = "openai"\nbase_url = "http://127.0.0.1:{server.server_address[1]}/v1"\n'
        'chat_model = "m"\nretries = 0\n[chat]\nchain = ["mock"]\n'
    )
    with running(tmp_path / "place", tmp_path / "engine", config=config) as daemon:
        daemon.client.wait("keyword")
        answer = daemon.client.ask(QUESTION)
        assert (answer["mode"], answer["model"]) == ("generated", "mock/m")
        assert answer["answer"] == "The wait is `2**attempt` seconds [1]. Bananas are 7 [1]."
        assert [claim["supported"] for claim in answer["claims"]] == [True, False]
        assert "2**attempt" in answer["citations"][0]["text"]
        assert ENGINE[:30] not in Model.shown[0]  # to find other words it is shown the question alone
        Model.broken = True
        failed = daemon.client.ask(QUESTION)
        assert failed["mode"] == "extractive"
        assert any("mock" in problem and "no model wrote" in problem for problem in failed["degraded"])
    server.shutdown()
    server.server_close()
