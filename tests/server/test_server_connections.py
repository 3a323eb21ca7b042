"""What happens on connections: many requests, many clients, rude clients, the end."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import socket
import time
from contextlib import suppress
from pathlib import Path

import pytest
from server_harness import StubServices, Wire, acquired, running

from agentd.config.settings import ServerSettings
from agentd.server.listener import Server
from agentd.server.peer import Peer, is_own_or_root
from agentd.server.pump import LINES_PER_TURN


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


async def test_requests_are_answered_as_they_finish(tmp_path: Path) -> None:
    async with running(tmp_path) as harness, await harness.connect() as wire:
        wire.call("slow", "search", query="hang")
        wire.call("fast", "search", query="x")
        assert (await wire.receive())["id"] == "fast"
        harness.services.release.set()
        assert (await wire.receive())["id"] == "slow"


async def test_an_id_in_flight_cannot_be_used_again_until_it_is_answered(tmp_path: Path) -> None:
    async with running(tmp_path) as harness, await harness.connect() as wire:
        wire.call(1, "search", query="hang")
        error = (await wire.ask(1, "health"))["error"]
        assert error["data"]["kind"] == "invalid_request"
        assert "in flight" in error["message"]
        assert "result" in await wire.ask("1", "health")
        harness.services.release.set()
        assert "result" in await wire.receive()
        assert "result" in await wire.ask(1, "health")


async def test_ids_are_a_connections_own(tmp_path: Path) -> None:
    async with running(tmp_path) as harness, await harness.connect() as one, await harness.connect() as other:
        one.call(1, "search", query="hang")
        await acquired(harness.services.hanging)
        assert (await other.ask(2, "cancel", id=1))["result"] == {"cancelled": False}
        assert "result" in await other.ask(1, "health")
        harness.services.release.set()
        assert "result" in await one.receive()


async def test_too_many_requests_are_busy_but_cancel_still_works(tmp_path: Path) -> None:
    async with running(tmp_path, max_in_flight=2) as harness, await harness.connect() as wire:
        for number in range(2):
            wire.call(number, "search", query="hang")
        error = (await wire.ask(2, "health"))["error"]
        assert error["data"]["kind"] == "busy"
        assert error["data"]["retry_after_ms"] > 0
        assert "result" in await wire.ask(3, "hello")
        wire.call(4, "cancel", id=0)
        answers = {message["id"]: message for message in [await wire.receive(), await wire.receive()]}
        assert answers[4]["result"] == {"cancelled": True}
        assert answers[0]["error"]["data"]["kind"] == "cancelled"
        assert "result" in await wire.ask(5, "health")
        harness.services.release.set()
        assert (await wire.receive())["id"] == 1


async def test_cancel_right_behind_its_request_is_answered(tmp_path: Path) -> None:
    async with running(tmp_path) as harness, await harness.connect() as wire:
        lines = [
            {"jsonrpc": "2.0", "id": 1, "method": "search", "params": {"query": "hang"}},
            {"jsonrpc": "2.0", "id": 2, "method": "cancel", "params": {"id": 1}},
            {"jsonrpc": "2.0", "id": 3, "method": "cancel", "params": {"id": 3}},
        ]
        wire.send(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
        answers = {message["id"]: message for message in [await wire.receive() for _ in lines]}
        assert answers[1]["error"]["data"]["kind"] == "cancelled"
        assert answers[2]["result"] == {"cancelled": True}
        assert answers[3]["result"] == {"cancelled": False}  # a request cannot cancel itself


async def test_a_request_ended_before_its_first_step_is_answered(tmp_path: Path) -> None:
    """A task cancelled so early never runs; a stop in the turn in which the line was read would lose the answer."""
    async with running(tmp_path) as harness, await harness.connect() as wire:
        await wire.ask(1, "health")
        (connection,) = harness.server._connections
        connection.data_received(b'{"jsonrpc":"2.0","id":2,"method":"search","params":{"query":"x"}}\n')
        connection.stop_calls()
        assert (await wire.receive())["error"]["data"]["kind"] == "shutting_down"
        assert harness.server.stats().in_flight == 0
        assert harness.services.searches == 0


async def test_a_client_that_vanishes_cancels_its_work(tmp_path: Path) -> None:
    async with running(tmp_path) as harness:
        wire = await harness.connect()
        wire.call(1, "search", query="hang")
        wire.call(2, "index.events")
        await acquired(harness.services.hanging)
        await acquired(harness.services.hanging)
        wire.close()
        await acquired(harness.services.cancelled)
        await acquired(harness.services.cancelled)
        await harness.until(lambda: harness.server.stats().connections == 0)
        assert harness.server.stats().in_flight == 0


async def test_half_a_line_then_the_end_is_no_error(tmp_path: Path) -> None:
    async with running(tmp_path) as harness:
        wire = await harness.connect()
        wire.send(b'{"jsonrpc":"2.0","id":1,"meth')
        wire.writer.write_eof()
        assert await wire.expect_end() == b""
        await harness.until(lambda: harness.server.stats().connections == 0)
        assert not harness.server.stats().errors
        wire.close()


async def test_a_line_in_pieces_is_one_line(tmp_path: Path) -> None:
    async with running(tmp_path) as harness, await harness.connect() as wire:
        for byte in b'{"jsonrpc":"2.0","id":1,"method":"health"}\n':
            wire.send(bytes([byte]))
            await wire.writer.drain()
            await asyncio.sleep(0)
        assert (await wire.receive())["id"] == 1


async def test_a_line_of_100_mb_is_refused_without_being_held(tmp_path: Path) -> None:
    """The server stops at its limit, says so, and closes while the client still writes."""
    before = resident_bytes()
    async with running(tmp_path) as harness:
        wire = await harness.connect()
        wire.call(1, "search", query="hang")
        await acquired(harness.services.hanging)
        megabyte = b"x" * 1_000_000
        with suppress(ConnectionError):
            for _ in range(100):
                wire.send(megabyte)
                await wire.writer.drain()
        assert harness.server.stats().bytes_in < 3_000_000
        assert resident_bytes() - before < 30_000_000
        await acquired(harness.services.cancelled)
        async with await harness.connect() as other:
            assert "result" in await other.ask(1, "health")


async def test_the_client_with_the_long_line_can_read_why(tmp_path: Path) -> None:
    async with running(tmp_path, max_request_bytes=1024) as harness:
        with socket.socket(socket.AF_UNIX) as raw:
            raw.setblocking(False)  # noqa: FBT003 - the standard library's own signature
            loop = asyncio.get_running_loop()
            await loop.sock_connect(raw, harness.path)
            await loop.sock_sendall(raw, b"x" * 1025)
            error = json.loads(await loop.sock_recv(raw, 65536))["error"]
            assert error["data"] == {"kind": "parse_error", "limit": 1024}
            assert await loop.sock_recv(raw, 1) == b""


async def test_a_client_that_never_reads_is_cut_off_and_bounded(tmp_path: Path) -> None:
    async with running(tmp_path, write_timeout_seconds=0.3) as harness:
        wire = await harness.connect()
        wire.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that also reads
        query = {"jsonrpc": "2.0", "method": "search", "params": {"query": "big 1000000"}}
        for number in range(30):
            wire.send_json({**query, "id": number})
        await harness.until(lambda: harness.server.stats().aborted_slow == 1)
        # What the kernel took, one answer over the high-water mark, and no more.
        assert harness.server.stats().bytes_out < 3_000_000
        await harness.until(lambda: harness.server.stats().connections == 0)
        assert harness.server.stats().in_flight == 0
        wire.close()


async def test_a_client_that_reads_late_gets_every_answer(tmp_path: Path) -> None:
    async with running(tmp_path) as harness, await harness.connect() as wire:
        wire.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that also reads
        for number in range(20):
            wire.call(number, "search", query="big 500000")
        await harness.until(lambda: harness.services.searches >= 16)
        wire.writer.transport.resume_reading()  # type: ignore[attr-defined]  # the same
        assert sorted([(await wire.receive())["id"] for _ in range(20)]) == list(range(20))


async def test_events_stream_until_cancelled(tmp_path: Path) -> None:
    async with running(tmp_path) as harness, await harness.connect() as wire:
        wire.call("watch", "index.events")
        for generation in (1, 2):
            harness.services.events.put_nowait({"event": "generation", "generation": generation})
        for generation in (1, 2):
            event = await wire.receive()
            assert event["params"] == {"id": "watch", "event": "generation", "generation": generation}
        wire.call("stop", "cancel", id="watch")
        kinds = {message["id"]: message for message in [await wire.receive(), await wire.receive()]}
        assert kinds["watch"]["error"]["data"]["kind"] == "cancelled"
        await acquired(harness.services.cancelled)


async def test_events_stay_at_their_source_while_the_subscriber_does_not_read(tmp_path: Path) -> None:
    """Nothing piles up in the server: the source has a bound of its own."""
    async with running(tmp_path, write_timeout_seconds=0.3) as harness:
        wire = await harness.connect()
        wire.call(1, "index.events")
        await acquired(harness.services.hanging)
        wire.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that also reads
        for _ in range(3000):
            harness.services.events.put_nowait({"event": "e", "filler": "x" * 1000})
        await harness.until(lambda: harness.server.stats().aborted_slow == 1)
        assert harness.services.events.qsize() > 1500
        await acquired(harness.services.cancelled)
        await harness.until(lambda: harness.server.stats().in_flight == 0)
        wire.close()


async def test_a_thousand_clients_at_once(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    wires: list[Wire] = []
    try:
        async with running(tmp_path) as harness:
            wires.extend([await harness.connect() for _ in range(1000)])
            answers = await asyncio.gather(*(wire.ask(1, "health") for wire in wires))
            assert all(answer["result"]["status"] == "ok" for answer in answers)
            assert harness.server.stats().connections == 1000
            for wire in wires:
                wire.close()
            await harness.until(lambda: harness.server.stats().connections == 0)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_one_client_too_many_hears_that_it_is_busy(tmp_path: Path) -> None:
    async with running(tmp_path, max_connections=2) as harness:
        first, second = await harness.connect(), await harness.connect()
        await first.ask(1, "health")
        await second.ask(1, "health")
        third = await harness.connect()
        error = (await third.receive())["error"]
        assert error["data"]["kind"] == "busy"
        assert await third.expect_end() == b""
        assert harness.server.stats().refused == {"busy": 1}
        first.close()
        await harness.until(lambda: harness.server.stats().connections == 1)
        async with await harness.connect() as fourth:
            assert "result" in await fourth.ask(1, "health")
        second.close()
        third.close()


async def test_another_users_process_is_refused(tmp_path: Path) -> None:
    """A real process of another user, where the tests may make one."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    async with running(tmp_path) as harness:
        for path in (tmp_path, harness.path):  # so that the kernel lets the stranger reach the check
            os.chmod(path, 0o777)  # noqa: PTH101, S103 - a folder of this test alone
        program = (
            "import os, socket, sys; os.setgid(65534); os.setuid(65534); s = socket.socket(socket.AF_UNIX);"
            "s.connect('agentd.sock'); sys.stdout.write(s.makefile().read())"
        )
        stranger = await asyncio.create_subprocess_exec(
            "python3", "-c", program, cwd=tmp_path, stdout=asyncio.subprocess.PIPE
        )
        line, _ = await stranger.communicate()
        error = json.loads(line)["error"]
        # Root is let in by any daemon; this daemon is root's, so it refuses whoever is not.
        assert error["data"]["kind"] == "peer_refused"
        assert "65534" in error["message"]
        assert harness.server.stats().refused == {"peer_refused": 1}


def test_the_peer_check_lets_in_the_own_user_and_root() -> None:
    assert is_own_or_root(Peer(1, os.geteuid(), 0))
    assert is_own_or_root(Peer(1, 0, 0))
    assert not is_own_or_root(Peer(1, os.geteuid() + 1, 0))


async def test_a_flood_is_taken_in_small_turns_so_that_others_are_served_between_them(tmp_path: Path) -> None:
    async with running(tmp_path) as harness, await harness.connect() as flood, await harness.connect() as calm:
        lines = 20_000
        flood.send(b"garbage\n" * lines)
        calm.call(1, "health")
        swallowing = asyncio.create_task(flood.reader.read(1 << 30))
        answering = asyncio.create_task(calm.receive())
        turns, taken, answered_at = [], 0, lines
        async with asyncio.timeout(10):
            while taken < lines:
                await asyncio.sleep(0)  # one turn of the loop
                before, taken = taken, harness.server.stats().errors["parse_error"]
                turns.append(taken - before)
                answered_at = min(answered_at, taken if answering.done() else lines)
        assert max(turns) <= 2 * LINES_PER_TURN  # what was left, and what was read in the same turn
        assert answered_at < lines / 10
        assert "result" in answering.result()
        flood.close()
        await swallowing


async def test_draining_lets_running_requests_end_and_takes_no_new_ones(tmp_path: Path) -> None:
    async with running(tmp_path, drain_seconds=10.0) as harness:
        busy, idle = await harness.connect(), await harness.connect()
        await idle.ask(1, "health")
        busy.call(1, "search", query="hang")
        busy.call(2, "index.events")
        await acquired(harness.services.hanging)
        await acquired(harness.services.hanging)
        harness.stop.set()
        assert (await busy.receive())["error"]["data"]["kind"] == "shutting_down"  # a stream never ends by itself
        assert await idle.expect_end() == b""
        assert (await busy.ask(3, "health"))["error"]["data"]["kind"] == "shutting_down"
        with pytest.raises(OSError, match=r"refused|No such file"):
            await harness.connect()
        harness.services.release.set()
        assert "result" in await busy.receive()
        assert await busy.expect_end() == b""
        await harness.finish()
        busy.close()
        idle.close()


async def test_draining_ends_what_takes_too_long(tmp_path: Path) -> None:
    async with running(tmp_path, drain_seconds=0.05) as harness:
        wire = await harness.connect()
        wire.call(1, "search", query="hang")
        await acquired(harness.services.hanging)
        await harness.finish()
        answer = await wire.receive()
        assert answer["id"] == 1
        assert answer["error"]["data"]["kind"] == "shutting_down"
        assert await wire.expect_end() == b""
        assert harness.server.stats().connections == 0
        wire.close()


async def test_draining_does_not_wait_for_a_client_that_never_reads(tmp_path: Path) -> None:
    async with running(tmp_path, drain_seconds=0.05) as harness:
        wire = await harness.connect()
        wire.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that also reads
        wire.call(1, "search", query="big 3000000")
        await harness.until(lambda: harness.services.searches == 1)
        started = time.monotonic()
        await harness.finish()
        assert time.monotonic() - started < 4
        wire.close()


async def test_cancelling_the_server_skips_the_drain(tmp_path: Path) -> None:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "s"))
    services = StubServices()
    server = Server(ServerSettings(drain_seconds=60.0), services)
    listening.listen()
    serving = asyncio.create_task(server.serve(listening, asyncio.Event()))
    wire = Wire(*await asyncio.open_unix_connection(str(tmp_path / "s")))
    wire.call(1, "search", query="hang")
    await acquired(services.hanging)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert await wire.expect_end() == b""
    await acquired(services.cancelled)
    wire.close()
