"""A daemon that was told to leaves when nobody has needed it for a while."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from daemon_harness import QUICK, Daemon, running
from hypothesis import given
from hypothesis import strategies as st

from agentd.client import Client
from agentd.daemon.idle import IdleExit, seconds_left

if TYPE_CHECKING:
    from pathlib import Path

TIMES = st.floats(min_value=0, max_value=1e6)


@given(now=TIMES, ago=st.lists(TIMES, min_size=1), limit=st.floats(min_value=0.01, max_value=1e6))
def test_the_latest_use_counts(now: float, ago: list[float], limit: float) -> None:
    left = seconds_left(now, [now - each for each in ago], limit)
    assert 0 <= left <= limit * (1 + 1e-9) + 1e-9
    assert math.isclose(left, max(0.0, limit - min(ago)), abs_tol=1e-6)


def test_without_a_limit_it_never_ends() -> None:
    assert seconds_left(1e9, [0.0], 0.0) == math.inf


async def test_the_wait_begins_with_the_daemon_and_ends_after_the_last_use() -> None:
    loop = asyncio.get_running_loop()
    used_until = loop.time() + 0.2
    idle = IdleExit(0.1, lambda now: min(now, used_until))
    async with asyncio.timeout(5):
        await idle.wait()
    assert used_until + 0.1 <= loop.time() + 0.01


async def test_another_limit_counts_at_once() -> None:
    idle = IdleExit(0.0, lambda now: now - 10)
    waiting = asyncio.create_task(idle.wait())
    await asyncio.sleep(0)
    idle.reconfigure(0.01)
    async with asyncio.timeout(5):
        await waiting


def test_a_daemon_leaves_cleanly_when_its_last_client_has_gone(tmp_path: Path) -> None:
    with running(tmp_path / "daemon", config=f"{QUICK}idle_exit_seconds = 1.0\n") as daemon:
        with Client(str(daemon.socket)) as client:
            daemon._disconnect()
            client.health()
            assert daemon.process is not None
            assert daemon.process.poll() is None
        assert daemon.exit_code() == 0, daemon.log
    assert '"event": "idle"' in daemon.log or '"event":"idle"' in daemon.log


def test_the_flag_goes_before_the_file(tmp_path: Path) -> None:
    daemon = Daemon(
        tmp_path / "daemon", config=f"{QUICK}idle_exit_seconds = 86400.0\n", AGENTD_EMBEDDING_ENABLED="false"
    )
    daemon.flags += ["--idle-exit", "0.3"]
    daemon.spawn()
    assert daemon.exit_code() == 0, daemon.log
