"""The loop's thread opens no file, runs no SQL and waits for nothing but events, in a whole life of a daemon."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import traceback
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import blockbuster.blockbuster as guard
import msgspec
import pytest
from daemon_harness import DEADLINE, write_files

from agentd.aclient import AsyncClient
from agentd.client import NoDaemonError
from agentd.config.settings import IndexSettings, Settings
from agentd.daemon.lifecycle import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALLOWED = {
    "agentd/daemon/locks.py": {"__exit__"},  # the last thing that a daemon does: nobody is served any more
    "agentd/daemon/status.py": {"memory"},  # /proc/self/statm: made by the kernel while it is read, no disk
    "agentd/compute/stats.py": {"resident_bytes"},  # the same of each worker
    "tests/daemon/test_loop_hygiene.py": {"live"},  # the person at the keyboard
}


@pytest.fixture
def blocked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every blocking call on a loop from now on, with its stack: they raise too, but a service may have caught that."""
    calls: list[str] = []

    class Recorded(guard.BlockingError):
        def __init__(self, func: str) -> None:
            super().__init__(func)
            calls.append(f"{func}\n{''.join(traceback.format_stack(limit=12))}")

    monkeypatch.setattr(guard, "BlockingError", Recorded)
    return calls


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """A daemon tunes the interpreter that it runs in."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*thresholds)
    gc.unfreeze()


async def connected(path: Path) -> AsyncClient:
    async with asyncio.timeout(DEADLINE):
        while True:
            with suppress(NoDaemonError):
                return await AsyncClient(str(path)).__aenter__()
            await asyncio.sleep(0.01)


@contextmanager
def guarded() -> Iterator[None]:
    buster = guard.BlockBuster()
    for function in buster.functions.values():
        for file, names in ALLOWED.items():
            function.can_block_in(file, names)
    buster.activate()
    try:
        yield
    finally:
        buster.deactivate()


async def test_a_whole_life_blocks_the_loop_nowhere(tmp_path: Path, blocked: list[str]) -> None:
    root = tmp_path / "root"
    write_files(root, 21)
    settings = Settings(socket=tmp_path / "agentd.sock", state_directory=tmp_path / "state", flag_roots=(root,))
    changed = msgspec.structs.replace(settings, index=IndexSettings(exclude=("package_1/",)))
    running = asyncio.create_task(run(settings, lambda: changed))
    client = await connected(tmp_path / "agentd.sock")
    await client.hello()
    with guarded():
        try:
            lag = await live(client, root)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(running, DEADLINE)
            await client.__aexit__(None, None, None)
    assert blocked == []
    assert lag["count"] > 10
    assert lag["p50_ms"] < 50


async def live(client: AsyncClient, root: Path) -> dict[str, float]:
    """Everything that a daemon is asked to do, once."""
    await client.wait("vectors")
    assert (await client.search("common task"))["hits"]
    changed = root / "package_2" / "module_2.py"
    changed.write_text(changed.read_text() + "heron = 'wader'\n")
    found = await client.search("common task", mode="keyword", paths=["package_2/module_2.py"])
    assert found["hits"][0]["stale"] or "heron" in found["hits"][0]["text"]
    await client.read_span(str(root / "package_3" / "module_3.py"))
    await client.list_files()
    (root.parent / "other").mkdir()
    await client.add_root(str(root.parent / "other"))
    os.kill(os.getpid(), signal.SIGHUP)
    async with asyncio.timeout(DEADLINE):
        while (await client.wait("keyword"))["documents"] != 18:  # noqa: ASYNC110  # no event tells of a reload
            await asyncio.sleep(0.02)
    await client.reindex()
    await client.wait("vectors")
    await client.remove_root(str(root.parent / "other"))
    await client.status()
    await client.health()
    return (await client.stats())["loop_lag"]  # type: ignore[no-any-return]
