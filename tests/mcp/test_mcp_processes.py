"""The server's process and the daemon that it starts: one for all, and nobody left behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import mcp_types as types
import pytest
from daemon_harness import alive, until
from mcp_harness import Home, command, connected, processes, texts, written

from agentd.config.service import detached

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENTS = 8
SLOW_START_SECONDS = 30.0
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "home")
    yield home
    home.close()


def servers(home: Home) -> list[int]:
    """MCP servers that run with this home."""
    marker = f"HOME={home.place}\0".encode()
    return [pid for pid in processes() if b"\0mcp" in command(pid) and marker in environment(pid)]


def held(pid: int, *what: str) -> list[str]:
    """Where links below a process's directory lead."""
    return [str(Path(f"/proc/{pid}/{each}").readlink()) for each in what]


def environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


async def test_eight_clients_at_once_share_one_daemon(home: Home, tmp_path: Path) -> None:
    project = written(tmp_path / "project", {".git/HEAD": "ref: x", "retry.py": "def retry():\n    pass\n"})

    async def use() -> str:
        async with connected(home.server("--add", cwd=project)) as session:
            called = await session.call_tool("find_symbol", {"name": "retry"})
            assert isinstance(called, types.CallToolResult)
            return texts(called.content)

    async with asyncio.timeout(SLOW_START_SECONDS + 30):
        said = await asyncio.gather(*(use() for _ in range(CLIENTS)))
    assert all(f"{project}/retry.py:1-2  function retry" in text for text in said), said
    assert len(home.daemons()) == 1
    assert home.log.read_text().count('"ready"') == 1
    until(lambda: not servers(home), "the servers end with their clients", within=5)


async def test_the_daemon_outlives_who_started_it_and_holds_none_of_its_pipes(home: Home) -> None:
    async with connected(home.server()) as session:
        await session.call_tool("status", {})
        (daemon,) = home.daemons()
        (server,) = servers(home)
        assert os.getsid(daemon) != os.getsid(server)
        assert held(daemon, "fd/0", "fd/1", "fd/2", "cwd") == ["/dev/null", str(home.log), str(home.log), "/"]
    until(lambda: not servers(home), "the server ends", within=5)
    assert home.daemons() == [daemon]
    assert home.log.stat().st_mode & 0o777 == 0o600


async def test_a_daemon_that_is_killed_is_started_again_by_the_next_call(home: Home) -> None:
    async with connected(home.server()) as session:
        await session.call_tool("status", {})
        (first,) = home.daemons()
        os.kill(first, signal.SIGKILL)
        until(lambda: first not in home.daemons(), "it ends")
        called = await session.call_tool("status", {})
        assert isinstance(called, types.CallToolResult)
        assert not called.is_error, texts(called.content)
        (second,) = home.daemons()
        assert second != first


async def test_a_daemon_that_cannot_start_says_why(home: Home) -> None:
    home.place.joinpath("config", "agentd").mkdir(parents=True)
    home.place.joinpath("config", "agentd", "agentd.toml").write_text("[server]\nbacklog = 'many'\n")
    async with connected(home.server()) as session:
        called = await session.call_tool("status", {})
    assert isinstance(called, types.CallToolResult)
    assert called.is_error
    assert "cannot_start: agentd ended with code 2" in texts(called.content)
    assert "expected a whole number" in texts(called.content)
    assert "agentctl doctor" in texts(called.content)


async def test_of_a_line_of_the_log_the_sentence_is_told(home: Home) -> None:
    home.socket.parent.mkdir(mode=0o700)
    home.socket.write_text("no socket")
    async with connected(home.server()) as session:
        called = await session.call_tool("status", {})
    assert isinstance(called, types.CallToolResult)
    assert f"agentd ended with code 4: {home.socket} is there and no socket; remove it" in texts(called.content)


async def test_where_a_service_is_installed_no_second_daemon_is_started(home: Home) -> None:
    units = written(home.place / "config" / "systemd" / "user", {"agentd.socket": "[Socket]\n"})
    assert units.is_dir()
    server = home.server()
    environment = {name: value for name, value in home.environment.items() if name != "AGENTD_SOCKET"}
    server.env = environment | {"XDG_RUNTIME_DIR": str(home.place / "runtime")}
    async with connected(server) as session:
        called = await session.call_tool("status", {})
    assert isinstance(called, types.CallToolResult)
    assert texts(called.content).startswith("no_daemon: ")
    assert home.daemons() == []


def spawned(home: Home, *flags: str) -> subprocess.Popen[bytes]:
    """A server without a client of the SDK."""
    command_line = [sys.executable, "-P", "-m", "agentd.cli.main", "mcp", *flags]
    return subprocess.Popen(
        command_line,
        cwd=home.place,
        env=home.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_initialize_is_answered_where_no_daemon_can_be(home: Home) -> None:
    """A socket that accepts nobody: whatever waited for the daemon would wait long."""
    with spawned(home) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(INITIALIZE).encode() + b"\n")
        server.stdin.flush()
        answer = json.loads(server.stdout.readline())
        assert answer["result"]["serverInfo"]["name"] == "agentd"
        server.stdin.close()
        assert server.wait(5) == 0


def test_what_was_answered_leaves_even_where_the_client_sends_nothing_more(home: Home) -> None:
    with spawned(home, "--no-start") as server:
        out, _ = server.communicate(json.dumps(INITIALIZE).encode() + b"\n", timeout=20)
        assert json.loads(out)["id"] == 1
        assert server.returncode == 0


def test_a_call_with_half_a_character_is_answered(home: Home) -> None:
    """JavaScript writes such a one where a text was cut within an emoji."""
    call = rb'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"rm","arguments":{"query":"a \ud83d"}}}'
    with spawned(home, "--no-start") as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(INITIALIZE).encode() + b"\n" + call + b"\n")
        server.stdin.flush()
        assert [json.loads(server.stdout.readline())["id"] for _ in range(2)] == [1, 2]
        server.stdin.close()
        assert server.wait(5) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once(home: Home, number: signal.Signals) -> None:
    with spawned(home, "--no-start") as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(INITIALIZE).encode() + b"\n")
        server.stdin.flush()
        server.stdout.readline()
        began = time.monotonic()
        server.send_signal(number)
        assert server.wait(5) == -number
        assert time.monotonic() - began < 1
        server.stdin.close()


KILLED = """
import subprocess, sys, time
server = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
server.stdin.write({message!r})
server.stdin.flush()
server.stdout.readline()
print(server.pid, flush=True)
time.sleep(600)
"""


def test_a_client_that_is_killed_leaves_no_server(home: Home) -> None:
    message = json.dumps(INITIALIZE).encode() + b"\n"
    command_line = [sys.executable, "-P", "-m", "agentd.cli.main", "mcp", "--no-start"]
    with subprocess.Popen(
        [sys.executable, "-c", KILLED.format(message=message), *command_line],
        cwd=home.place,
        env=home.environment,
        stdout=subprocess.PIPE,
    ) as client:
        assert client.stdout is not None
        server = int(client.stdout.readline())
        assert alive([server])
        client.kill()
        killed_at = time.monotonic()
        until(lambda: not alive([server]), "the server ends", within=5)
        assert time.monotonic() - killed_at < 1.5


def test_the_daemon_finds_its_places_from_anywhere() -> None:
    environ = {"HOME": "/home/ada", "AGENTD_CONFIG": "mine.toml", "NOTIFY_SOCKET": "/run/x", "PATH": "/bin"}
    found = detached(environ)
    assert found["AGENTD_STATE_DIR"] == "/home/ada/.local/state/agentd"
    assert os.path.isabs(found["AGENTD_CONFIG"])  # noqa: PTH117  # a string, as it is handed on
    assert "NOTIFY_SOCKET" not in found
    assert found["PATH"] == "/bin"
