"""The linker beside real workers and a real database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from indexing_harness import DEADLINE, services, until
from link_samples import links

from agentd.indexing import linker as linker_module
from agentd.indexing.linker import FIRST_LIMIT, MAX_LIMIT, next_limit

if TYPE_CHECKING:
    from pathlib import Path

    from agentd.daemon.bootstrap import Daemon


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "pkg").mkdir(parents=True)
    (root / "pkg/__init__.py").write_text("from .core import run\n")
    (root / "pkg/core.py").write_text("def run():\n    return 1\n")
    (root / "app.py").write_text("from pkg import run\n\n\ndef main():\n    run()\n")
    return root


async def callers(daemon: Daemon, name: str) -> list[str]:
    catalogue = daemon.stores.catalogue
    found = await catalogue.symbols.find(name)
    return [row.name for row in (await catalogue.graph.callers([symbol.id for symbol in found])).rows]


async def linked(daemon: Daemon) -> None:
    async with asyncio.timeout(DEADLINE):
        await daemon.index.settle(vectors=True)


async def test_edges_lead_from_file_to_file_once_all_is_at_rest(tmp_path: Path, root: Path) -> None:
    async with services(tmp_path, root) as daemon:
        await linked(daemon)
        assert await callers(daemon, "core.run") == ["main"]
        assert daemon.index.unfinished(graph=True) == []
        assert (await daemon.status.index())["graph_pending"] == 0


async def test_an_edit_is_followed_in_the_files_that_use_what_changed(tmp_path: Path, root: Path) -> None:
    async with services(tmp_path, root) as daemon:
        await linked(daemon)
        (root / "pkg/other.py").write_text("def run():\n    return 2\n")
        (root / "pkg/__init__.py").write_text("from .other import run\n")
        await linked(daemon)
        assert await callers(daemon, "core.run") == []
        assert await callers(daemon, "other.run") == ["main"]
        (root / "pkg/other.py").unlink()
        await linked(daemon)
        assert await callers(daemon, "run") == ["main"]  # by name: the import leads nowhere
        before = await daemon.stores.catalogue.database.read(links)
        await daemon.index.reindex(None)
        await linked(daemon)
        assert await daemon.stores.catalogue.database.read(links) == before


async def test_linking_waits_for_files_to_be_read_and_says_what_is_left(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with services(tmp_path, root) as daemon:
        await linked(daemon)
        gate = daemon.linker._gate = asyncio.Event()
        (root / "app.py").write_text("from pkg import run\n\n\ndef start():\n    run()\n")
        await until(lambda: daemon.linker.pending)
        assert daemon.index.unfinished(graph=True)[-1].startswith("graph: 1 files are to be linked")
        assert not daemon.linker.settled
        gate.set()
        await linked(daemon)
        assert await callers(daemon, "core.run") == ["start"]


async def test_files_that_never_cease_to_come_do_not_hold_linking_up_for_ever(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linker_module, "PATIENCE_SECONDS", 0.01)
    async with services(tmp_path, root) as daemon:
        daemon.linker._gate = asyncio.Event()
        await until(lambda: daemon.linker.idle.is_set() and daemon.linker.linked.total >= 9)
        await linked(daemon)
        assert await callers(daemon, "core.run") == ["main"]


async def test_a_linker_that_fails_is_started_again_and_loses_nothing(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with services(tmp_path) as daemon:
        queue, failures = daemon.stores.catalogue.links, 0
        whole = queue.step

        async def fails_once(limit: int) -> tuple[int, float]:
            nonlocal failures
            if not failures:
                failures += 1
                raise OSError("no more")
            return await whole(limit)

        monkeypatch.setattr(queue, "step", fails_once)
        await daemon.services.add_root(str(root))
        await linked(daemon)
        assert (failures, daemon.supervisor.restarts) == (1, {"linker": 1})
        assert await callers(daemon, "core.run") == ["main"]


def test_steps_grow_and_shrink_with_what_they_take() -> None:
    assert next_limit(FIRST_LIMIT, 0.0) == 2 * FIRST_LIMIT
    assert next_limit(FIRST_LIMIT, 10.0) < FIRST_LIMIT
    assert next_limit(MAX_LIMIT, 0.0) == MAX_LIMIT
    assert next_limit(1, 100.0) == 1
