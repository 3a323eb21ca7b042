"""Figures in a file: whole at any moment, readable by others, gone with the daemon, and never in its way."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from daemon_harness import obey_permissions, running, until, write_files

from agentd.daemon.metrics.exporter import TABLE
from agentd.daemon.metrics.textfile import Textfile

if TYPE_CHECKING:
    from daemon_harness import Daemon

PROJECT = Path(__file__).resolve().parents[2]


def every_second(path: Path) -> dict[str, str]:
    return {"AGENTD_METRICS_TEXTFILE": str(path), "AGENTD_METRICS_INTERVAL_SECONDS": "1"}


def value(text: str, sample: str) -> float:
    return float(re.search(rf"^{re.escape(sample)} (\S+)$", text, re.MULTILINE)[1])  # type: ignore[index]


def test_the_file_holds_what_happened_and_goes_with_the_daemon(tmp_path: Path) -> None:
    root, path = tmp_path / "root", tmp_path / "agentd.prom"
    write_files(root, 10)
    (root / "image.png").write_bytes(b"\x89PNG\0\0")
    with running(tmp_path / "place", root, **every_second(path)) as daemon:
        daemon.client.wait("keyword")
        for _ in range(3):
            daemon.client.search("common task", mode="keyword")
        answered = 'agentd_requests_total{method="search",outcome="ok"}'
        until(lambda: answered in path.read_text(), "a later write has the searches")
        text = path.read_text()
        assert value(text, answered) == value(text, 'agentd_request_duration_seconds_count{method="search"}') == 3
        assert value(text, 'agentd_search_stage_duration_seconds_count{stage="keyword"}') == 3
        assert value(text, "agentd_documents") == 11
        assert value(text, "agentd_files_indexed_total") == 10
        assert value(text, 'agentd_files_skipped{reason="binary"}') == 1
        assert value(text, 'agentd_roots{state="current"}') == 1
        assert value(text, 'agentd_view_lag_generations{view="keyword"}') == 0
        assert value(text, 'agentd_problems{kind="vectors_off"}') == 1
        assert value(text, 'agentd_task_duration_seconds_count{lane="bulk",kernel="parse"}') >= 1
        assert value(text, 'agentd_memory_bytes{process="daemon"}') > 1_000_000
        assert value(text, "agentd_loop_lag_seconds_count") > 0
        assert str(root) not in text
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        daemon.client.stats()
    assert list(tmp_path.glob("*agentd.prom*")) == []


def test_a_daemon_that_was_killed_leaves_figures_whose_age_shows(tmp_path: Path) -> None:
    path = tmp_path / "agentd.prom"
    with running(tmp_path / "place", **every_second(path)) as daemon:
        until(path.exists)
        daemon.signal(signal.SIGKILL)
        daemon.exit_code()
    assert value(path.read_text(), "agentd_sample_time_seconds") > value(path.read_text(), "agentd_start_time_seconds")


def test_a_folder_that_cannot_be_written_is_named_and_found_mended(tmp_path: Path) -> None:
    folder = tmp_path / "collector"
    folder.mkdir(mode=0o500)

    def named(daemon: Daemon) -> bool:
        return any("figures are not written" in problem for problem in daemon.client.health()["problems"])

    with running(tmp_path / "place", before_exec=obey_permissions, **every_second(folder / "agentd.prom")) as daemon:
        until(lambda: named(daemon), "the problem is named")
        folder.chmod(0o700)
        until(lambda: not named(daemon), "the problem is struck off")
        assert daemon.log.count('"metrics_not_written"') == 1
        assert (folder / "agentd.prom").exists()


async def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    path, whole = tmp_path / "agentd.prom", "agentd_x 1\n" * 20_000

    async def text() -> str:
        return whole

    service = asyncio.create_task(Textfile(str(path), 0.0, text).run())
    try:
        async with asyncio.timeout(20):
            while not path.exists():  # noqa: ASYNC110  # the service tells nobody
                await asyncio.sleep(0.001)
            for _ in range(200):
                assert await asyncio.to_thread(path.read_text) == whole
    finally:
        service.cancel()
        await asyncio.wait([service])
    assert os.listdir(tmp_path) == []  # noqa: PTH208  # names are enough


@pytest.mark.parametrize("planted", ["link", "pipe"])
async def test_what_others_put_in_its_place_is_neither_followed_nor_waited_for(tmp_path: Path, planted: str) -> None:
    path, aside, other = tmp_path / "agentd.prom", tmp_path / ".agentd.prom.tmp", tmp_path / "other"
    other.write_text("mine")
    path.symlink_to(other)
    if planted == "link":
        aside.symlink_to(other)
    else:
        os.mkfifo(aside)

    async def text() -> str:
        return "agentd_x 1\n"

    service = asyncio.create_task(Textfile(str(path), 60.0, text).run())
    try:
        async with asyncio.timeout(10):
            while path.is_symlink():  # noqa: ASYNC110  # the service tells nobody
                await asyncio.sleep(0.001)
        assert path.read_text() == "agentd_x 1\n"
    finally:
        if not aside.is_symlink() and aside.is_fifo():  # let a thread that waits go on
            os.close(os.open(aside, os.O_RDWR))
        service.cancel()
        await asyncio.wait([service])
    assert other.read_text() == "mine"


def test_every_metric_is_documented_as_it_is() -> None:
    rows = re.findall(
        r"^\| `(agentd_\w+)` \| (\w+) \| (.*?) \| (.*?) \|$", (PROJECT / "docs/observing.md").read_text(), re.MULTILINE
    )
    assert rows == [
        (family.name, family.kind, ", ".join(f"`{label}`" for label in family.labels), family.help)
        for family, _ in TABLE
    ]


def test_rules_use_metrics_that_there_are() -> None:
    kinds = {family.name: family.kind for family, _ in TABLE}
    used = set(re.findall(r"\bagentd_\w+", "".join(
        line for line in (PROJECT / "config/alerts.yml").read_text().splitlines(keepends=True) if "#" not in line
    )))  # fmt: skip
    assert used
    for name in used:
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        assert name in kinds or kinds.get(base) == "histogram", name


@pytest.mark.parametrize("metric", TABLE, ids=lambda metric: metric.family.name)
def test_a_metric_is_called_as_prometheus_has_it(metric: object) -> None:
    """https://prometheus.io/docs/practices/naming/"""
    family = metric.family  # type: ignore[attr-defined]
    assert re.fullmatch(r"agentd_[a-z_]+", family.name)
    assert family.name.endswith("_total") == (family.kind == "counter")
    assert family.help.endswith(".")
    assert family.kind != "histogram" or family.name.endswith("_seconds")
