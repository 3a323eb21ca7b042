from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from scripted_peer import SILENCE, Failure, Raw, Result, ScriptedPeer

from agentd import aclient as module
from agentd.aclient import AsyncClient
from agentd.client import AgentdClientError, ConnectionLostError, NoDaemonError, WireError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[ScriptedPeer]:
    with ScriptedPeer(tmp_path / "s") as peer:
        yield peer


@pytest.fixture
async def client(peer: ScriptedPeer) -> AsyncIterator[AsyncClient]:
    async with asyncio.timeout(10), AsyncClient(peer.path) as client:
        yield client


async def test_many_requests_are_open_at_once(client: AsyncClient, peer: ScriptedPeer) -> None:
    peer.replies |= {"search": Result({"total": 7}), "stats": SILENCE, "index.status": Result({"state": "current"})}
    slow = asyncio.create_task(client.stats())
    found, status = await asyncio.gather(client.search("a", limit=1), client.status())
    assert (found["total"], status["state"], slow.done()) == (7, "current", False)
    slow.cancel()


async def test_a_cancelled_task_cancels_its_request(client: AsyncClient, peer: ScriptedPeer) -> None:
    peer.replies |= {"stats": SILENCE, "cancel": Result({"cancelled": True})}
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await client.stats()
    assert (await client.hello())["version"] == "9.9"
    assert [(method, params) for method, params in peer.sent() if method == "cancel"] == [("cancel", {"id": 1})]


async def test_a_stream_gives_the_events_then_the_result(client: AsyncClient, peer: ScriptedPeer) -> None:
    peer.replies["index.wait"] = Result("done", events=({"event": "progress", "n": 1}, {"event": "progress", "n": 2}))
    stream = client.stream("index.wait")
    assert [event["n"] async for event in stream] == [1, 2]  # type: ignore[typeddict-item]  # made up
    assert stream.result == "done"
    assert [event async for event in stream] == []


async def test_an_error_ends_its_request_alone(client: AsyncClient, peer: ScriptedPeer) -> None:
    peer.replies["roots.add"] = Failure("root_invalid", "no")
    with pytest.raises(AgentdClientError, match="no") as caught:
        await client.add_root("/")
    assert caught.value.kind == "root_invalid"
    assert await client.hello()


async def test_a_peer_that_goes_away_fails_every_open_request(client: AsyncClient, peer: ScriptedPeer) -> None:
    peer.replies |= {"stats": SILENCE, "health": Raw(b"")}
    failed = await asyncio.gather(client.stats(), client.health(), return_exceptions=True)
    assert [type(error) for error in failed] == [ConnectionLostError, ConnectionLostError]
    with pytest.raises(ConnectionLostError):
        await client.stats()


async def test_garbage_fails_every_open_request_with_what_was_found(client: AsyncClient, peer: ScriptedPeer) -> None:
    peer.replies |= {"stats": SILENCE, "health": Raw(b"SSH-2.0\n")}
    failed = await asyncio.gather(client.stats(), client.health(), return_exceptions=True)
    assert [type(error) for error in failed] == [WireError, WireError]


async def test_events_that_nobody_reads_end_that_request_alone(
    client: AsyncClient, peer: ScriptedPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUEUED_MESSAGES", 2)
    progress: dict[str, object] = {"event": "progress"}
    peer.replies |= {"index.wait": Result("done", events=(progress,) * 5), "cancel": Result({})}
    stream = client.stream("index.wait")
    assert await client.hello()  # answered after the events, so they have arrived
    assert [(await anext(stream))["event"] for _ in range(2)] == ["progress", "progress"]
    with pytest.raises(AgentdClientError, match="nobody read them") as caught:
        await anext(stream)
    assert caught.value.kind == "overflow"


async def test_no_daemon_is_the_same_error_as_in_the_other_client(tmp_path: Path) -> None:
    with pytest.raises(NoDaemonError):
        async with AsyncClient(str(tmp_path / "none")):
            pass


async def test_the_conveniences_send_what_the_other_client_sends(client: AsyncClient, peer: ScriptedPeer) -> None:
    methods = ("list_files", "index.wait", "index.reindex", "health", "read_span", "roots.remove")
    peer.replies |= dict.fromkeys(methods, Result({})) | {"roots.list": Result({"roots": []})}
    await client.list_files(limit=5)
    await client.wait("keyword", 2)
    await client.reindex()
    await client.health()
    await client.read_span("/a", 2, 3)
    await client.remove_root("/a")
    assert await client.roots() == []
    assert peer.sent() == [
        ("list_files", {"limit": 5}),
        ("index.wait", {"for": "keyword", "timeout_ms": 2000}),
        ("index.reindex", {}),
        ("health", {}),
        ("read_span", {"path": "/a", "start_line": 2, "end_line": 3}),
        ("roots.remove", {"path": "/a"}),
        ("roots.list", {}),
    ]


async def test_runs_are_begun_listed_shown_and_stopped(client: AsyncClient, peer: ScriptedPeer) -> None:
    peer.replies |= dict.fromkeys(("agent.run", "agent.runs", "agent.trace"), Result({}))
    peer.replies["agent.stop"] = Result({"stopped": False})
    await client.agent("find it", keep=True)
    await client.runs()
    await client.trace("a")
    assert await client.stop_run("a") is False
    assert peer.sent() == [
        ("agent.run", {"task": "find it", "keep": True}),
        ("agent.runs", {"limit": 20}),
        ("agent.trace", {"id": "a"}),
        ("agent.stop", {"id": "a"}),
    ]
