"""Keepers, ingest and index together, at the moments that are hard to meet from outside."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from indexing_harness import DEADLINE, documents, services, settled, until

from agentd.config.settings import ComputeSettings, IndexSettings
from agentd.domain import RootOrigin
from agentd.errors import NoWorkerError, OutsideRootsError, WorkerDiedError
from agentd.indexing import watcher as watcher_module
from agentd.indexing.places import pattern_of
from agentd.indexing.watcher import Armed
from agentd.kernels.gitignore import Patterns
from agentd.kernels.registry import PARSE, WALK

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for number in range(40):
        folder = root / f"folder_{number % 4}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"file_{number}.txt").write_text(f"words of file {number}\n")
    return root


async def test_a_walk_that_dies_costs_no_file_and_keeps_nobody_waiting(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with services(tmp_path) as daemon:
        whole = daemon.pool.stream

        async def dies_at_the_end(kernel: Any, request: Any, **options: Any) -> AsyncGenerator[Any, None]:
            async with aclosing(whole(kernel, request, **options)) as parts:
                async for part in parts:
                    yield part
            if kernel is WALK and not daemon.supervisor.restarts:
                raise WorkerDiedError("killed while it walked")

        monkeypatch.setattr(daemon.pool, "stream", dies_at_the_end)
        await daemon.index.add(str(root), RootOrigin.ADDED)
        await settled(daemon)
        assert daemon.supervisor.restarts == {f"root {root}": 1}
        assert (await daemon.status.index())["pending"] == 0
        assert daemon.ingest.files.total == 40
        (root / "after.txt").write_text("after the failure\n")
        await settled(daemon)
        assert await documents(daemon) == 41


async def test_a_worker_that_dies_behind_its_last_file_costs_nothing(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with services(tmp_path) as daemon:
        whole = daemon.pool.stream

        async def dies_at_the_end(kernel: Any, request: Any, **options: Any) -> AsyncGenerator[Any, None]:
            async with aclosing(whole(kernel, request, **options)) as parts:
                async for part in parts:
                    yield part
            if kernel is PARSE:
                raise WorkerDiedError("killed with all its parts delivered")

        monkeypatch.setattr(daemon.pool, "stream", dies_at_the_end)
        await daemon.index.add(str(root), RootOrigin.ADDED)
        await settled(daemon)
        assert not daemon.supervisor.restarts
        assert (await documents(daemon), (await daemon.status.index())["skipped"]) == (40, {})


async def test_no_file_is_blamed_where_no_worker_can_be_started(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with services(tmp_path) as daemon:
        whole, refused = daemon.pool.stream, 0

        async def refuses_at_first(kernel: Any, request: Any, **options: Any) -> AsyncGenerator[Any, None]:
            nonlocal refused
            if kernel is PARSE and refused < 8:
                refused += 1
                raise NoWorkerError("no worker of the bulk lane can be started")
            async with aclosing(whole(kernel, request, **options)) as parts:
                async for part in parts:
                    yield part

        monkeypatch.setattr(daemon.pool, "stream", refuses_at_first)
        await daemon.index.add(str(root), RootOrigin.ADDED)
        await settled(daemon)
        assert refused == 8
        assert (await documents(daemon), (await daemon.status.index())["skipped"]) == (40, {})


async def test_the_periodic_scan_finds_what_no_event_told(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher_module.Watcher, "watch", no_watch)
    async with services(tmp_path, root) as daemon:
        await settled(daemon)
        (root / "silent.txt").write_text("no event\n")
        keeper = daemon.index.keepers[str(root)]
        scans = keeper.scans
        assert keeper.settled
        keeper.reconfigure(msgspec.structs.replace(daemon.settings.index, rescan_seconds=0.05))
        keeper.hint("folder_0/file_0.txt")  # wakes it, so that it plans anew
        await until(lambda: keeper.scans > scans + 1)
        await until(lambda: daemon.ingest.files.total >= 41)


async def no_watch(*_: object, **__: object) -> Armed:
    return Armed(set(), set())


async def test_a_root_removed_by_someone_who_left_is_removed_whole(tmp_path: Path, root: Path) -> None:
    async with services(tmp_path) as daemon:
        await daemon.index.add(str(root), RootOrigin.ADDED)
        await settled(daemon)
        removal = asyncio.create_task(daemon.index.remove(str(root)))
        await until(lambda: str(root) not in daemon.index.keepers)
        removal.cancel()
        await asyncio.wait([removal])
        async with asyncio.timeout(DEADLINE):
            while await daemon.stores.catalogue.roots.all():  # noqa: ASYNC110  # nobody is told
                await asyncio.sleep(0.005)
        await daemon.index.add(str(root), RootOrigin.ADDED)
        await settled(daemon)
        assert await documents(daemon) == 40


async def test_a_root_may_go_while_its_hits_are_compared(tmp_path: Path, root: Path) -> None:
    async with services(tmp_path) as daemon:
        assert await daemon.index.refresh([str(root / "gone.txt")], 1.0)
        with pytest.raises(OutsideRootsError):
            daemon.index.root_of(str(root / "gone.txt"))


async def test_a_short_queue_of_the_pool_slows_and_fails_nothing(tmp_path: Path, root: Path) -> None:
    async with services(tmp_path, root, compute=ComputeSettings(bulk_workers=1, queue_length=1)) as daemon:
        await settled(daemon)
        assert await documents(daemon) == 40
        assert daemon.status.problems()[1:] == []
        assert not daemon.supervisor.restarts


async def test_roots_come_and_go_while_they_are_counted(tmp_path: Path, root: Path) -> None:
    async with services(tmp_path) as daemon:

        async def come_and_go() -> None:
            for _ in range(10):
                await daemon.index.add(str(root), RootOrigin.ADDED)
                await daemon.index.remove(str(root))

        busy = asyncio.create_task(come_and_go())
        looks = 0
        while not busy.done():
            await daemon.status.index()
            looks += 1
        await busy
        assert looks > 5


@pytest.mark.parametrize("name", ["state", "a b", "st[a]te", "*", "what?", "back\\slash", "#hash", "!not", "end "])
def test_the_pattern_of_a_private_place_names_it_and_nothing_else(name: str) -> None:
    patterns = Patterns(pattern_of(f"/root/in/{name}", "/root").encode())
    assert patterns.verdict(f"in/{name}".encode(), name.encode(), is_dir=True)
    for other in ("in/other", "in/stbte", "other", f"in/in/{name}"):
        assert patterns.verdict(other.encode(), other.rpartition("/")[2].encode(), is_dir=True) is None


async def test_files_beyond_the_bound_of_a_root_are_named_until_there_is_room(tmp_path: Path, root: Path) -> None:
    index = IndexSettings(rescan_seconds=86400.0, quiet_milliseconds=20, max_files_per_root=38)
    async with services(tmp_path, root, index=index) as daemon:
        await settled(daemon)
        assert await documents(daemon) == 38
        assert f"2 files of root {root} are left out: index.max_files_per_root is reached" in daemon.status.problems()
        for number in range(3):
            (root / f"folder_{number}" / f"file_{number}.txt").unlink()
        await settled(daemon)  # makes room
        await settled(daemon)
        assert await documents(daemon) == 37
        assert "left out" not in str(daemon.status.problems())
