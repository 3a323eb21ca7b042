"""Clients that ask for too much, send too slowly or take nothing: what they cost is bounded, and costs them alone."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from server_harness import acquired, running

from agentd.config.settings import ServerSettings
from agentd.server.buffers import Buffers

if TYPE_CHECKING:
    from pathlib import Path

MEBIBYTE = 1024 * 1024


async def test_requests_of_all_connections_wait_for_their_turn_and_memory_answers_do_not(tmp_path: Path) -> None:
    async with running(tmp_path, max_running=2) as harness, await harness.connect() as flood:
        for number in range(6):
            flood.call(number, "search", query="hang")
        for _ in range(2):
            await acquired(harness.services.hanging)
        stats = harness.server.stats()
        await harness.until(lambda: (stats.running, stats.waiting) == (2, 4))
        async with await harness.connect() as other:
            assert (await other.ask(1, "health"))["result"]["status"] == "ok"
            assert "result" in await other.ask(2, "hello")
            other.call(3, "search", query="x")
            await harness.until(lambda: stats.waiting == 5)
            harness.services.release.set()
            assert (await other.receive())["id"] == 3
        for _ in range(6):
            assert "result" in await flood.receive()
        assert (stats.running, stats.waiting) == (0, 0)


async def test_heavy_requests_leave_room_for_light_ones(tmp_path: Path) -> None:
    async with running(tmp_path, max_running=4) as harness, await harness.connect() as wire:
        for number in range(4):
            wire.call(number, "multi_search", queries=["hang"])
        await acquired(harness.services.hanging)
        await harness.until(lambda: harness.server.stats().waiting == 3)
        assert "result" in await wire.ask(9, "search", query="x")
        harness.services.release.set()
        for _ in range(4):
            assert "result" in await wire.receive()


async def test_a_search_with_many_globs_is_a_heavy_one(tmp_path: Path) -> None:
    async with running(tmp_path, max_running=4) as harness, await harness.connect() as wire:
        for number in range(3):
            wire.call(number, "search", query="hang", paths=[f"{glob}/**" for glob in range(9)])
        await harness.until(lambda: (harness.server.stats().running, harness.server.stats().waiting) == (1, 2))
        assert "result" in await wire.ask(9, "search", query="x", paths=["src/**"])
        harness.services.release.set()
        for _ in range(3):
            assert "result" in await wire.receive()


async def test_a_request_that_waits_can_be_cancelled_and_its_deadline_counts(tmp_path: Path) -> None:
    async with running(tmp_path, max_running=1) as harness, await harness.connect() as wire:
        wire.call(1, "search", query="hang")
        await acquired(harness.services.hanging)
        wire.call(2, "search", query="x")
        wire.call(3, "search", query="x", deadline_ms=20)
        error = (await wire.receive())["error"]
        assert error["data"]["kind"] == "deadline"
        wire.call(4, "cancel", id=2)
        answers = {message["id"]: message for message in [await wire.receive(), await wire.receive()]}
        assert answers[2]["error"]["data"]["kind"] == "cancelled"
        assert harness.server.stats().waiting == 0
        assert harness.services.searches == 1
        harness.services.release.set()
        assert (await wire.receive())["id"] == 1


async def test_a_client_that_goes_away_while_it_waits_gives_its_place_up(tmp_path: Path) -> None:
    async with running(tmp_path, max_running=1) as harness:
        wires = [await harness.connect() for _ in range(3)]
        for wire in wires:
            wire.call(1, "search", query="hang")
        await harness.until(lambda: harness.server.stats().waiting == 2)
        for wire in wires:
            wire.close()
        await harness.until(lambda: harness.server.stats().connections == 0)
        assert (harness.server.stats().running, harness.server.stats().waiting) == (0, 0)


async def test_more_than_may_wait_are_refused_and_told_when_to_come_back(tmp_path: Path) -> None:
    async with running(tmp_path, max_running=1, max_waiting=2) as harness, await harness.connect() as wire:
        for number in range(5):
            wire.call(number, "search", query="hang")
        for _ in range(2):
            error = (await wire.receive())["error"]["data"]
            assert error["kind"] == "busy"
            assert error["retry_after_ms"] >= 50
        async with await harness.connect() as other:
            other.call(1, "search", query="x")
            await harness.until(lambda: harness.server.stats().waiting == 3)  # the first of another always may
            harness.services.release.set()
            assert "result" in await other.receive()
        for _ in range(3):
            assert "result" in await wire.receive()


async def test_a_line_that_is_begun_and_not_ended_costs_its_sender_the_connection(tmp_path: Path) -> None:
    async with running(tmp_path, line_timeout_seconds=0.2) as harness:
        slow, idle, steady = [await harness.connect() for _ in range(3)]
        slow.send(b'{"jsonrpc":')
        assert (await slow.receive())["error"]["data"]["kind"] == "parse_error"
        assert await slow.expect_end() == b""
        slow.close()
        assert harness.server.stats().slow_lines == 1
        for connection in (idle, steady):  # one that says nothing may stay, and so may one whose lines end
            assert "result" in await connection.ask(1, "health")
            connection.close()


async def test_a_drip_of_bytes_does_not_put_the_end_of_a_line_off(tmp_path: Path) -> None:
    async with running(tmp_path, line_timeout_seconds=0.3) as harness:
        wire = await harness.connect()
        answer = asyncio.create_task(wire.receive())  # waits for a line: a drip into the closed socket costs it nothing
        while not answer.done():
            wire.send(b" ")
            await asyncio.sleep(0.02)  # slower than the server reads, faster than its limit
        assert (await answer)["error"]["data"]["kind"] == "parse_error"
        wire.close()


async def test_of_many_half_lines_the_longest_goes_first(tmp_path: Path) -> None:
    async with running(tmp_path, max_buffered_megabytes=1) as harness:
        small, large, other = [await harness.connect() for _ in range(3)]
        small.send(b"x" * 1000)
        large.send(b"x" * (700 * 1024))
        await harness.until(lambda: harness.server.stats().held_bytes > 700 * 1024)
        other.send(b"x" * (500 * 1024))
        error = (await large.receive())["error"]["data"]
        assert error["kind"] == "busy"
        assert error["retry_after_ms"] > 0
        await large.expect_end()
        large.close()
        await harness.until(lambda: harness.server.stats().held_bytes < MEBIBYTE)
        assert harness.server.stats().shed == 1
        for wire in (small, other):
            wire.send(b"\n")
            assert (await wire.receive())["error"]["data"]["kind"] == "parse_error"
            assert "result" in await wire.ask(1, "health")
            wire.close()


async def test_answers_that_nobody_takes_are_counted_and_the_one_with_the_most_goes(tmp_path: Path) -> None:
    async with running(tmp_path, max_buffered_megabytes=2, write_timeout_seconds=60.0) as harness:
        slow = await harness.connect()
        slow.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that also reads
        for number in range(16):
            slow.call(number, "search", query="big 600000")
        await harness.until(lambda: harness.server.stats().shed == 1)
        await harness.until(lambda: harness.server.stats().connections == 0)
        assert harness.server.stats().held_bytes == 0
        assert harness.server.stats().in_flight == 0
        slow.close()


async def test_all_that_is_held_is_given_back(tmp_path: Path) -> None:
    async with running(tmp_path) as harness:
        wire = await harness.connect()
        for number in range(5):
            wire.call(number, "search", query="hang")
        wire.send(b"x" * 5000)
        await harness.until(lambda: harness.server.stats().held_bytes > 5000)
        wire.close()
        await harness.until(lambda: harness.server.stats().held_bytes == 0)


async def test_the_bounds_change_live(tmp_path: Path) -> None:

    async with running(tmp_path, max_running=1) as harness, await harness.connect() as wire:
        for number in range(3):
            wire.call(number, "search", query="hang")
        await harness.until(lambda: harness.server.stats().waiting == 2)
        harness.server.reconfigure(ServerSettings(max_running=8))
        await harness.until(lambda: harness.server.stats().running == 3)
        harness.services.release.set()
        for _ in range(3):
            assert "result" in await wire.receive()


async def test_a_client_that_closes_its_sending_half_is_gone(tmp_path: Path) -> None:
    async with running(tmp_path) as harness:
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(0)
        await asyncio.get_running_loop().sock_connect(peer, harness.path)
        await asyncio.get_running_loop().sock_sendall(
            peer, b'{"jsonrpc":"2.0","id":1,"method":"search","params":{"query":"hang"}}\n{"half'
        )
        await acquired(harness.services.hanging)
        peer.shutdown(socket.SHUT_WR)
        await acquired(harness.services.cancelled)
        await harness.until(lambda: harness.server.stats().connections == 0)
        peer.close()


class Client:
    def __init__(self) -> None:
        self.gone = 0

    def shed(self) -> None:
        self.gone += 1


def test_whoever_holds_the_most_goes_and_nobody_else() -> None:
    buffers, small, large = Buffers(100), Client(), Client()
    buffers.hold(small, 30)
    buffers.hold(large, 60)
    assert (small.gone, large.gone) == (0, 0)
    buffers.hold(small, 20)
    assert (small.gone, large.gone) == (0, 1)
    buffers.hold(small, -50)
    assert (buffers.of(small), buffers.held) == (0, 60)
