from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_peer import SILENCE, Failure, Raw, Result, ScriptedPeer

from agentd import wire
from agentd.client import (
    AgentdClientError,
    Client,
    ConnectionLostError,
    NoDaemonError,
    ReplyTimeoutError,
    WireError,
)
from agentd.wire import decode, event_of, open_socket, result_of

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[ScriptedPeer]:
    with ScriptedPeer(tmp_path / "s") as peer:
        yield peer


@pytest.fixture
def client(peer: ScriptedPeer) -> Iterator[Client]:
    with Client(peer.path, timeout=10) as client:
        yield client


def test_a_request_returns_its_result_and_sends_what_was_given(client: Client, peer: ScriptedPeer) -> None:
    peer.replies["search"] = Result({"hits": [], "total": 0})
    assert client.search("où", limit=3, roots=["/r"])["total"] == 0
    assert peer.sent() == [("search", {"query": "où", "limit": 3, "roots": ["/r"]})]


def test_paths_are_sent_absolute(client: Client, peer: ScriptedPeer) -> None:
    peer.replies |= dict.fromkeys(("roots.add", "roots.remove", "index.reindex", "read_span"), Result({}))
    client.add_root("a")
    client.remove_root("a")
    client.reindex("a")
    client.read_span("a", 2)
    here = str(Path.cwd() / "a")
    assert [params["path"] for _, params in peer.sent()] == [here] * 4


def test_every_convenience_calls_its_method(client: Client, peer: ScriptedPeer) -> None:
    methods = ("list_files", "index.status", "index.wait", "index.reindex", "stats", "health")
    peer.replies |= dict.fromkeys(methods, Result({}))
    peer.replies["metrics"] = Result({"text": "agentd_chunks 9\n"})
    peer.replies["roots.list"] = Result({"roots": [{"path": "/r"}]})
    client.list_files(skipped=True)
    client.status()
    client.wait("keyword", 0.5)
    client.reindex()
    client.stats()
    client.health()
    assert client.metrics() == "agentd_chunks 9\n"
    assert [root["path"] for root in client.roots()] == ["/r"]
    assert peer.sent() == [
        ("list_files", {"skipped": True}),
        ("index.status", {}),
        ("index.wait", {"for": "keyword", "timeout_ms": 500}),
        ("index.reindex", {}),
        ("stats", {}),
        ("health", {}),
        ("metrics", {}),
        ("roots.list", {}),
    ]


def test_runs_are_begun_listed_shown_and_stopped(client: Client, peer: ScriptedPeer) -> None:
    peer.replies |= dict.fromkeys(("agent.run", "agent.runs", "agent.trace"), Result({}))
    peer.replies["agent.stop"] = Result({"stopped": True})
    client.agent("find it", tier="small", max_turns=3)
    client.runs(5, before="b")
    client.trace("a")
    assert client.stop_run("a") is True
    assert peer.sent() == [
        ("agent.run", {"task": "find it", "tier": "small", "max_turns": 3}),
        ("agent.runs", {"limit": 5, "before": "b"}),
        ("agent.trace", {"id": "a"}),
        ("agent.stop", {"id": "a"}),
    ]
    assert client.timeout == 10


def test_a_stream_gives_the_events_then_the_result(client: Client, peer: ScriptedPeer) -> None:
    peer.replies["index.wait"] = Result("done", events=({"event": "progress", "n": 1}, {"event": "progress", "n": 2}))
    stream = client.stream("index.wait")
    assert [event["n"] for event in stream] == [1, 2]  # type: ignore[typeddict-item]  # made up
    assert stream.result == "done"
    assert list(stream) == []


def test_what_is_left_of_an_abandoned_stream_is_not_taken_for_the_next_answer(
    client: Client, peer: ScriptedPeer
) -> None:
    peer.replies["index.wait"] = Result("old", events=({"event": "progress"}, {"event": "progress"}))
    next(client.stream("index.wait"))
    assert client.hello()["version"] == "9.9"


def test_an_error_carries_kind_message_and_data(client: Client, peer: ScriptedPeer) -> None:
    peer.replies["roots.add"] = Failure("root_invalid", "/ cannot be a root", {"path": "/"})
    with pytest.raises(AgentdClientError, match="/ cannot be a root") as caught:
        client.add_root("/")
    assert (caught.value.kind, caught.value.data) == ("root_invalid", {"path": "/", "kind": "root_invalid"})
    assert client.hello()  # the connection goes on


@pytest.mark.parametrize(
    "data", [b"HTTP/1.1 400 Bad Request\r\n\n", b"[1]\n", b'{"id":1}\n', b"\xff\n", b"[" * 9999 + b"\n"]
)
def test_a_peer_that_speaks_something_else_is_an_error_that_says_so(
    client: Client, peer: ScriptedPeer, data: bytes
) -> None:
    peer.replies["stats"] = Raw(data)
    with pytest.raises(WireError, match="Is this agentd's socket"):
        client.stats()


@pytest.mark.parametrize("data", [b"", b'{"jsonrpc"'])
def test_a_connection_that_ends_before_the_answer_is_lost(client: Client, peer: ScriptedPeer, data: bytes) -> None:
    peer.replies["stats"] = Raw(data)
    with pytest.raises(ConnectionLostError):
        client.stats()
    with pytest.raises(ConnectionLostError):
        client.stats()


def test_a_refusal_without_an_id_is_raised(client: Client, peer: ScriptedPeer) -> None:
    peer.replies["stats"] = Raw(
        b'{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"full","data":{"kind":"busy"}}}\n'
    )
    with pytest.raises(AgentdClientError, match="full") as caught:
        client.stats()
    assert caught.value.kind == "busy"


def test_an_over_long_line_is_refused(client: Client, peer: ScriptedPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_LINE_BYTES", 1000)
    peer.replies["stats"] = Raw(b"x" * 5000)
    with pytest.raises(WireError, match="longer"):
        client.stats()


def test_no_answer_in_time_is_a_time_out(peer: ScriptedPeer) -> None:
    peer.replies["stats"] = SILENCE
    with Client(peer.path, timeout=0.05) as client, pytest.raises(ReplyTimeoutError, match=r"0\.05 s"):
        client.stats()


def test_waiting_for_the_index_is_not_bound_by_the_time_out_of_a_line(peer: ScriptedPeer) -> None:
    peer.replies["index.wait"] = SILENCE
    with Client(peer.path, timeout=0.05) as client:

        def wait() -> None:
            with pytest.raises(ConnectionLostError):
                client.wait()

        waiting = threading.Thread(target=wait, daemon=True)
        waiting.start()
        peer.received.get(timeout=5)
        waiting.join(0.2)
        assert waiting.is_alive()
        peer.__exit__()
        waiting.join(5)
        assert not waiting.is_alive()
        assert client.timeout == 0.05


def test_a_missing_socket_says_how_to_start_a_daemon(tmp_path: Path) -> None:
    with pytest.raises(NoDaemonError, match=r"no socket at .*/none\)\. Start it with: agentd --root DIR"):
        Client(str(tmp_path / "none"))


def test_a_socket_that_nobody_listens_on_is_no_daemon(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead"))
    with pytest.raises(NoDaemonError, match="nobody listens on"):
        Client(str(tmp_path / "dead"))


def test_a_path_that_is_no_socket_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NoDaemonError):
        Client(str(tmp_path / "file"))


def test_a_path_longer_than_the_kernel_takes_works(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    with ScriptedPeer(tmp_path / "s") as peer:
        (deep / "s").symlink_to(peer.path)
        with Client(str(deep / "s")) as client:
            assert client.hello()


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to be two users")
def test_the_socket_of_another_user_is_refused() -> None:
    """In a world-writable directory anyone could listen first, and be told what is searched for."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o777)
        path = f"{directory}/s"
        listening = subprocess.Popen(
            [sys.executable, "-c", LISTEN, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        with listening:
            assert listening.stdout
            assert listening.stdout.readline() == b"ready\n"
            found = subprocess.run([sys.executable, "-c", CONNECT, path], capture_output=True, text=True, check=True)
            listening.kill()
    assert "permission_denied" in found.stdout
    assert "belongs to user 65534, expected 65533" in found.stdout


# Each imports what it needs before it drops to a user who cannot read the interpreter's files.
LISTEN = """
import os, socket, sys
os.setuid(65534)
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o777)
listener.listen()
print("ready", flush=True)
sys.stdin.read()
"""

CONNECT = """
import os, sys
from agentd.wire import AgentdClientError, open_socket
os.setuid(65533)
try:
    open_socket(sys.argv[1])
except AgentdClientError as error:
    print(error.kind, error)
"""


def test_ctrl_c_cancels_the_request(peer: ScriptedPeer) -> None:
    peer.replies["stats"] = SILENCE
    main = threading.main_thread().ident
    assert main

    def interrupt() -> None:
        assert peer.received.get(timeout=5)[0] == "stats"
        signal.pthread_kill(main, signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt), Client(peer.path, timeout=10) as client:
        client.stats()
    assert peer.received.get(timeout=5) == ("cancel", {"id": 1})


def test_the_client_knows_the_process_at_the_other_end(client: Client) -> None:
    assert client.peer_pid == os.getpid()


def test_open_socket_leaves_no_descriptor_open_when_it_fails(tmp_path: Path) -> None:
    before = list(Path("/proc/self/fd").iterdir())
    for _ in range(3):
        with pytest.raises(NoDaemonError):
            open_socket(str(tmp_path / "none"))
    assert len(list(Path("/proc/self/fd").iterdir())) == len(before)


@given(st.binary(max_size=200))
def test_no_line_of_bytes_gets_past_the_decoder_but_an_object(line: bytes) -> None:
    try:
        message = decode(line + b"\n")
        event = event_of(message)
        assert event is not None or result_of(message) is not None or "result" in message
    except AgentdClientError:
        pass


def test_files_to_inspect_are_named_by_their_whole_path(client: Client, peer: ScriptedPeer) -> None:
    peer.replies["index.inspect"] = Result({"files": []})
    assert client.inspect(["a.py"], passages=True) == []
    assert peer.sent() == [("index.inspect", {"paths": [str(Path.cwd() / "a.py")], "passages": True})]
