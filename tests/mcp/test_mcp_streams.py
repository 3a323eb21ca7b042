"""What a client sees and does while a call runs: progress, cancellation, errors, a daemon that goes."""

from __future__ import annotations

import asyncio
import queue
from typing import TYPE_CHECKING, Any

import mcp_types as types
import pytest
from mcp_harness import Home, connected, texts
from scripted_peer import Endless, Failure, Raw, Result, ScriptedPeer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS = 20.0
ROOT = {"path": "/src", "state": "current", "pending": 0, "documents": 1, "chunks": 1, "vectors_pending": 0}
FOUND = {"state": "ok", "milliseconds": 1.0, "found": 3, "reason": ""}
ANSWER = {
    "id": "a1",
    "answer": "Three times [1].",
    "mode": "generated",
    "model": "box/m",
    "citations": [
        {"n": 1, "source": "documents", "path": "/src/a.py", "start_line": 1, "end_line": 2, "supported": False}
    ],
    "degraded": [],
}
RUN = {
    "id": "r1",
    "answer": "It is in a.py [1].",
    "state": "answered",
    "limit": "turns",
    "mode": "extractive",
    "model": "box/m",
    "citations": ANSWER["citations"],
    "counts": {"turns": 2, "tool_calls": 1},
    "degraded": ["the run used all of its turns (max_turns: 2)"],
    "error": None,
}
STEPS: tuple[dict[str, Any], ...] = (
    {"event": "started", "run": "r1", "tier": "small", "model": "box/m", "limits": {}, "tools": []},
    {"event": "thinking", "turn": 1, "text": "Let me look."},
    {"event": "tool_call", "turn": 1, "call": "c1", "tool": "semantic_search", "input": {"query": "retry"}},
    {"event": "tool_result", "turn": 1, "call": "c1", "tool": "semantic_search", "outcome": "ok", "found": 2},
    {"event": "chunk", "turn": 2, "text": "It is"},
    {"event": "something new"},
)


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[ScriptedPeer]:
    (tmp_path / "run").mkdir()
    with ScriptedPeer(tmp_path / "run" / "agentd.sock", {"roots.list": Result({"roots": [ROOT]})}) as peer:
        yield peer


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


async def told(peer: ScriptedPeer, method: str) -> dict[str, Any]:
    """Wait until the daemon was sent a request for ``method``; its parameters."""
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                name, params = await asyncio.to_thread(peer.received.get, timeout=0.2)
            except queue.Empty:
                continue
            if name == method:
                return params


async def test_events_of_a_question_are_progress(home: Home, peer: ScriptedPeer) -> None:
    events: tuple[dict[str, Any], ...] = (
        {"event": "source", "name": "documents", "status": FOUND},
        {"event": "chunk", "text": "Three"},
        {"event": "discarded", "reason": "box: gone"},
    )
    peer.replies["ask"] = Result(ANSWER, events)
    heard: list[tuple[float, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, message))

    async with connected(home.server("--no-start")) as session:
        called = await session.call_tool("ask", {"question": "how often?"}, progress_callback=hear)
    assert isinstance(called, types.CallToolResult)
    assert [message for _, message in heard][-3:] == ["documents: ok, 3 found", "Three", "begun anew: box: gone"]
    assert [count for count, _ in heard] == list(range(1, len(heard) + 1))
    assert called.structured_content["citations"] == [
        {"n": 1, "start_line": 1, "end_line": 2, "path": "/src/a.py", "supported": False}
    ]
    assert "[1] /src/a.py:1-2  (does not bear out what cites it)" in texts(called.content)


async def test_events_of_a_run_are_progress_whatever_else_comes(home: Home, peer: ScriptedPeer) -> None:
    peer.replies["agent.run"] = Result(RUN, STEPS)
    heard: list[str | None] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append(message)

    async with connected(home.server("--no-start")) as session:
        called = await session.call_tool("agent", {"task": "find it", "max_seconds": 9}, progress_callback=hear)
    assert isinstance(called, types.CallToolResult)
    assert heard[-4:] == [
        "Let me look.",
        "semantic_search {'query': 'retry'}",
        "semantic_search: ok, 2 found",
        "It is",
    ]
    assert called.structured_content["notes"][1:] == RUN["degraded"]  # the first is of the folder
    assert called.structured_content["mode"] == "extractive"
    assert "\n(extractive: no model wrote this, it is passages as they stand)\ncited:\n" in texts(called.content)
    assert (called.structured_content["turns"], called.structured_content["tool_calls"]) == (2, 1)
    assert (await told(peer, "agent.run"))["max_seconds"] == 9


async def test_a_cancelled_call_is_cancelled_in_the_daemon(home: Home, peer: ScriptedPeer) -> None:
    peer.replies["ask"] = Endless(({"event": "chunk", "text": "Th"},))
    peer.replies["search"] = Endless()
    async with connected(home.server("--no-start")) as session:
        for tool, arguments in (("ask", {"question": "how often?"}), ("search", {"query": "retry"})):
            calling = asyncio.create_task(session.call_tool(tool, arguments))
            await told(peer, tool)
            calling.cancel()
            await asyncio.wait([calling])
            await told(peer, "cancel")
        peer.replies["ask"] = Result(ANSWER)
        called = await session.call_tool("ask", {"question": "how often?"})
    assert isinstance(called, types.CallToolResult)
    assert not called.is_error


async def test_a_client_that_leaves_takes_its_calls_with_it(home: Home, peer: ScriptedPeer) -> None:
    peer.replies["ask"] = Endless()
    async with connected(home.server("--no-start")) as session:
        calling = asyncio.create_task(session.call_tool("ask", {"question": "how often?"}))
        await told(peer, "ask")
        left_at = asyncio.get_running_loop().time()
        calling.cancel()
    assert asyncio.get_running_loop().time() - left_at < 1.5  # the client kills after 2 s


async def test_what_only_reads_is_asked_again_where_the_daemon_went(home: Home, peer: ScriptedPeer) -> None:
    peer.replies["find_symbol"] = Raw(b"")
    peer.replies["ask"] = Raw(b"")
    async with connected(home.server("--no-start")) as session:
        calling = asyncio.create_task(session.call_tool("find_symbol", {"name": "retry"}))
        await told(peer, "find_symbol")
        listing = {"symbols": [], "nearest": [], "total": 0, "complete": True, "degraded": [], "skipped": [], "cut": []}
        peer.replies["find_symbol"] = Result(listing)
        called = await calling
        assert isinstance(called, types.CallToolResult)
        assert not called.is_error or "connection_lost" in texts(called.content)
        lost = await session.call_tool("ask", {"question": "how often?"})
        assert isinstance(lost, types.CallToolResult)
        assert lost.is_error
        assert texts(lost.content).startswith("connection_lost: ")
        assert [name for name, _ in peer.sent()].count("ask") == 1
        again = await session.call_tool("find_symbol", {"name": "retry"})
        assert isinstance(again, types.CallToolResult)
        assert not again.is_error


async def test_a_daemon_of_another_version_is_named(home: Home, peer: ScriptedPeer) -> None:
    peer.replies["search"] = Result({"hits": []})
    peer.replies["agent.run"] = Failure("method_not_found", "unknown method agent.run")
    async with connected(home.server("--no-start")) as session:
        skewed = await session.call_tool("search", {"query": "x"})
        unknown = await session.call_tool("agent", {"task": "x"})
        assert isinstance(skewed, types.CallToolResult)
        assert isinstance(unknown, types.CallToolResult)
        assert texts(skewed.content).startswith("version_skew: ")
        assert "agentctl stop" in texts(unknown.content)
        peer.replies["hello"] = Result({"pid": 1, "version": "99.0", "protocol": 99})
    async with connected(home.server("--no-start")) as session:
        refused = await session.call_tool("search", {"query": "x"})
        assert isinstance(refused, types.CallToolResult)
        assert "protocol_mismatch: agentd 99.0 speaks protocol 99" in texts(refused.content)


async def test_without_a_daemon_the_server_answers_and_tools_say_what_to_do(tmp_path: Path) -> None:
    home = Home(tmp_path)
    async with connected(home.server("--no-start")) as session:
        assert len((await session.list_tools()).tools) == 15
        called = await session.call_tool("search", {"query": "x"})
    assert isinstance(called, types.CallToolResult)
    assert texts(called.content).startswith("no_daemon: agentd is not running")
    assert home.daemons() == []


async def test_an_answer_that_nobody_foresaw_is_a_result_that_says_so(home: Home, peer: ScriptedPeer) -> None:
    peer.replies["roots.list"] = Result(7)
    async with connected(home.server("--no-start")) as session:
        called = await session.call_tool("search", {"query": "retry"})
    assert isinstance(called, types.CallToolResult)
    assert called.is_error
    assert texts(called.content).startswith("internal: search broke (TypeError)")
