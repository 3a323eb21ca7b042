"""Clients of ours and a daemon without room for them: they come back when it says, as often as they were told."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from server_harness import acquired, running

from agentd.aclient import AsyncClient
from agentd.client import AgentdClientError, Client
from agentd.wire import MOST_RETRY_SECONDS, retry_seconds

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_request_that_found_no_room_is_tried_again(tmp_path: Path) -> None:
    async with (
        running(tmp_path, max_running=1, max_waiting=1) as harness,
        AsyncClient(harness.path, retries=50) as client,
    ):
        first = asyncio.create_task(client.search("hang"))
        await acquired(harness.services.hanging)
        others = [asyncio.create_task(client.search("x")) for _ in range(4)]
        await harness.until(lambda: harness.server.stats().errors["busy"] >= 3)
        harness.services.release.set()
        assert all(result["hits"] for result in await asyncio.gather(first, *others))


async def test_one_that_is_not_to_be_tried_again_fails_at_once(tmp_path: Path) -> None:
    async with running(tmp_path, max_running=1, max_waiting=1) as harness, AsyncClient(harness.path) as client:
        searches = [asyncio.create_task(client.search("hang")) for _ in range(3)]
        await harness.until(lambda: harness.server.stats().errors["busy"] == 1)
        harness.services.release.set()
        (error,) = [
            each for each in await asyncio.gather(*searches, return_exceptions=True) if isinstance(each, Exception)
        ]
        assert isinstance(error, AgentdClientError)
        assert error.kind == "busy"


async def test_retries_are_bounded(tmp_path: Path) -> None:
    async with running(tmp_path, max_connections=1) as harness, await harness.connect() as only:
        await only.ask(1, "health")
        with pytest.raises(AgentdClientError) as refused:
            await asyncio.to_thread(ask_once, harness.path, 2)
        assert refused.value.kind == "busy"
        assert harness.server.stats().refused["busy"] == 3


async def test_a_connection_that_found_no_room_is_made_again(tmp_path: Path) -> None:
    async with running(tmp_path, max_connections=1) as harness:
        only = await harness.connect()
        await only.ask(1, "health")
        asking = asyncio.create_task(asyncio.to_thread(ask_once, harness.path, 100))
        await harness.until(lambda: harness.server.stats().refused["busy"] >= 2)
        only.close()
        assert (await asking) == "ok"


def ask_once(path: str, retries: int) -> str:
    with Client(path, timeout=10, retries=retries) as client:
        return str(client.health()["status"])


def test_only_what_asks_for_it_is_tried_again_and_nobody_waits_for_long() -> None:
    assert retry_seconds(AgentdClientError("busy", "", {"retry_after_ms": 250})) == 0.25
    assert retry_seconds(AgentdClientError("busy", "", {"retry_after_ms": 10**9})) == MOST_RETRY_SECONDS
    for data in ({}, {"retry_after_ms": "soon"}, {"retry_after_ms": -1}, {"retry_after_ms": float("nan")}):
        assert retry_seconds(AgentdClientError("busy", "", data)) is None
    assert retry_seconds(AgentdClientError("deadline", "", {"retry_after_ms": 250})) is None


async def test_waiting_for_room_takes_no_longer_than_it_must(tmp_path: Path) -> None:
    async with running(tmp_path, max_in_flight=1) as harness, AsyncClient(harness.path, retries=3) as client:
        first = asyncio.create_task(client.search("hang"))
        await acquired(harness.services.hanging)
        began = time.monotonic()
        second = asyncio.create_task(client.health())
        await harness.until(lambda: harness.server.stats().errors["busy"] == 1)
        harness.services.release.set()
        await asyncio.gather(first, second)
        assert time.monotonic() - began < 1.0
