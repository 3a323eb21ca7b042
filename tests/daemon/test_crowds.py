"""Crowds of clients at a real daemon, polite and rude: memory stays bounded, and a patient client gets its answers."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from daemon_harness import DEADLINE, Daemon, running, until, write_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEBIBYTE = 1024 * 1024
MOST_GROWTH = 96 * MEBIBYTE
"""``max_buffered_megabytes`` below, and what sockets, tasks and the allocator need beside it."""
FLOODS, IN_FLIGHT = 60, 32


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    root = tmp_path_factory.mktemp("crowds") / "root"
    write_files(root, 60)
    config = '[log]\nformat = "json"\n[index]\nrescan_seconds = 86400.0\n[server]\nmax_buffered_megabytes = 16\n'
    with running(tmp_path_factory.mktemp("place") / "daemon", root, config=config) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        for number in range(200):  # what the first searches allocate is no growth
            daemon.finds(f"unique{number}")
        yield daemon
        assert "request_failed" not in daemon.log


def pss(daemon: Daemon) -> int:
    lines = Path(f"/proc/{daemon.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def server(daemon: Daemon) -> dict[str, Any]:
    found: dict[str, Any] = daemon.client.stats()["server"]
    return found


async def seen(condition: Callable[[], object], what: str) -> None:
    """Wait in a thread: the loop here has bytes of ours to write meanwhile."""
    await asyncio.to_thread(until, condition, what)


def call(number: int, method: str, **params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode() + b"\n"


async def connected(daemon: Daemon, count: int) -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    return [await asyncio.open_unix_connection(str(daemon.socket), limit=64 * MEBIBYTE) for _ in range(count)]


async def answer(reader: asyncio.StreamReader) -> dict[str, Any]:
    async with asyncio.timeout(DEADLINE):
        message: dict[str, Any] = json.loads(await reader.readline())
    return message


async def test_a_patient_client_beside_sixty_that_flood_gets_every_answer(daemon: Daemon) -> None:
    """All of them together have 1,920 requests open. It waits for a round of the others, not for all of that."""
    before = pss(daemon)
    floods = await connected(daemon, FLOODS)
    ((reader, writer),) = await connected(daemon, 1)
    for _, flood in floods:
        flood.write(b"".join(call(number, "search", query=f"common {number}") for number in range(IN_FLIGHT)))
    outcomes, taken, flooded_at = [], [], time.monotonic()
    for number in range(5):
        began = time.monotonic()
        writer.write(call(number, "search", query="unique7"))
        outcomes.append(await answer(reader))
        taken.append(time.monotonic() - began)
    assert all("result" in each for each in outcomes), outcomes
    answered = [await answer(each) for each, _ in floods for _ in range(IN_FLIGHT)]
    assert max(taken) < (time.monotonic() - flooded_at) / 2
    refused = [each["error"]["data"] for each in answered if "error" in each]
    assert all(each["kind"] == "busy" and each["retry_after_ms"] > 0 for each in refused)
    assert len(answered) - len(refused) >= 1024  # as many as may wait, at least
    assert pss(daemon) - before < MOST_GROWTH
    for _, each in [*floods, (reader, writer)]:
        each.close()


async def test_rude_clients_cost_memory_that_is_bounded_and_given_back(daemon: Daemon) -> None:
    """Half lines of a megabyte, answers that nobody takes, requests of hundreds of kilobytes, all at once."""
    before, shed = pss(daemon), server(daemon)["shed"]
    peers = await connected(daemon, 120)
    for number, (_, writer) in enumerate(peers):
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that also reads
        if number % 3 == 0:
            writer.write(b"x" * 900_000)
        elif number % 3 == 1:
            writer.write(b"".join(call(each, "list_files", limit=1000) for each in range(IN_FLIGHT)))
        else:
            writer.write(b"".join(call(each, "search", query="x", paths=["y" * 1000] * 99) for each in range(8)))
    await seen(lambda: server(daemon)["shed"] > shed, "somebody had to go")
    began = time.monotonic()
    assert await asyncio.to_thread(daemon.finds, "unique3")
    assert time.monotonic() - began < 2.0
    assert server(daemon)["held_bytes"] <= 16 * MEBIBYTE
    assert pss(daemon) - before < MOST_GROWTH
    for _, writer in peers:
        writer.transport.abort()
    await seen(lambda: server(daemon)["connections"] == 1 and server(daemon)["held_bytes"] < 1000, "they are forgotten")


async def test_two_thousand_that_connect_are_let_in_or_told_that_there_is_no_room(daemon: Daemon) -> None:
    accepted, refused = server(daemon)["accepted"], server(daemon)["refused"].get("busy", 0)
    for _ in range(20):
        peers = await connected(daemon, 100)
        for _, writer in peers:
            writer.write(call(1, "health"))
        for reader, writer in peers:
            assert (await answer(reader))["result"]["status"]
            writer.close()
    assert server(daemon)["accepted"] - accepted >= 2000 - (server(daemon)["refused"].get("busy", 0) - refused)
    await seen(lambda: server(daemon)["connections"] == 1, "all are gone")


async def test_subscribers_that_stop_reading_hold_up_nobody(daemon: Daemon) -> None:
    peers = await connected(daemon, 20)
    for _, writer in peers:
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # the same
        writer.write(call(1, "index.events") + call(2, "index.wait", events=True))
    await seen(lambda: server(daemon)["in_flight"] >= 20, "all listen")
    for _ in range(20):
        await asyncio.to_thread(daemon.client.reindex)
        assert await asyncio.to_thread(daemon.finds, "unique5")
    for _, writer in peers:
        with suppress(OSError):
            writer.transport.abort()
    await seen(lambda: server(daemon)["in_flight"] == 1, "none listens any more")
