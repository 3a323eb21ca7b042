"""Budgets of a real daemon, enforced by exceeding them."""

from __future__ import annotations

import json
import resource
import signal
import socket
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from daemon_harness import DEADLINE, QUICK, Daemon, running, until, write_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def limited(**limits: int) -> str:
    return QUICK + "[limits]\n" + "".join(f"{name} = {value}\n" for name, value in limits.items())


def events(daemon: Daemon, name: str) -> list[dict[str, Any]]:
    return [event for line in daemon.log.splitlines() if (event := json.loads(line))["event"] == name]


def state_of(daemon: Daemon, limit: str) -> str:
    return str(daemon.client.status()["limits"][limit]["state"])


def found(daemon: Daemon, number: int) -> bool:
    return any(path.endswith(f"/module_{number}.py") for path in daemon.finds(f"unique{number}", limit=100))


def cpu_seconds(daemon: Daemon) -> float:
    used = psutil.Process(daemon.pid).cpu_times()
    return float(used.user + used.system)


def relax(daemon: Daemon) -> None:
    """Lift every budget, while it runs."""
    daemon.config.write_text(QUICK)
    daemon.signal(signal.SIGHUP)


def test_over_its_memory_the_daemon_gives_way_step_by_step_and_still_answers(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_files(root, 30)
    with Daemon(tmp_path / "place", root) as daemon:
        daemon.client.wait("vectors", timeout=DEADLINE)
        daemon.config.write_text(limited(memory_megabytes=64))
        daemon.signal(signal.SIGHUP)
        until(lambda: state_of(daemon, "memory") == "paused", "indexing waits")
        steps = [event["step"] for event in events(daemon, "limit_reached")]
        assert steps == ["caches", "large_workers", "one_worker", "pause"]
        until(lambda: not daemon.workers("bulk"), "the bulk workers have left")

        write_files(root, 5, start=100)
        assert len(daemon.client.search("a common task", mode="fusion")["hits"]) == 10
        assert found(daemon, 1)
        status = daemon.client.status()
        assert status["limits"]["memory"]["used"] > status["limits"]["memory"]["limit"] == 64 * 1024 * 1024
        (said,) = (reason for reason in status["degraded"] if "limits.memory_megabytes" in reason)
        assert said.startswith("indexing waits, searches are answered: memory is ")
        assert not found(daemon, 102)
        assert daemon.client.stats()["metrics"]["limit_steps{limit=memory}{step=pause}"] == 1

        relax(daemon)
        assert daemon.client.wait("keyword", timeout=DEADLINE)["degraded"] == []
        assert found(daemon, 102)


@pytest.mark.parametrize(
    ("limit", "value"), [("disk_megabytes", 1), ("free_disk_megabytes", 10**9)], ids=["its size", "what is to be free"]
)
def test_over_its_disk_the_daemon_reads_nothing_more_until_there_is_room(
    tmp_path: Path, limit: str, value: int
) -> None:
    root = tmp_path / "root"
    write_files(root, 20)
    # What is left when all has been given back is more than 1 MiB.
    (root / "ballast.txt").write_text("\n".join(f"line {number} of {number * 7919}" for number in range(50_000)))
    with running(tmp_path / "place", root) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        daemon.config.write_text(limited(**{limit: value}))
        daemon.signal(signal.SIGHUP)
        name = limit.removesuffix("_megabytes")
        until(lambda: state_of(daemon, name) == "paused", "indexing waits")
        assert [event["step"] for event in events(daemon, "limit_reached")] == ["reclaim", "pause"]

        write_files(root, 5, start=100)
        assert any(f"limits.{limit}" in reason for reason in daemon.client.health()["problems"])
        assert found(daemon, 1)
        assert not found(daemon, 102)

        relax(daemon)
        daemon.client.wait("keyword", timeout=DEADLINE)
        assert found(daemon, 102)
        assert state_of(daemon, name) == "ok"


def test_a_file_that_explodes_costs_only_itself(tmp_path: Path) -> None:
    """A notebook of 28 MB with a million cells: far more memory than a worker may have, in one file."""
    root = tmp_path / "root"
    write_files(root, 20)
    cell = '{"cell_type": "raw"},'
    (root / "bomb.ipynb").write_text('{"nbformat": 4, "cells": [' + cell * 1_300_000 + '{"cell_type": "raw"}]}')
    config = QUICK.replace("[index]", "[index]\nmax_file_bytes = 100000000") + (
        "[compute]\nworker_memory_megabytes = 128\n"
    )
    with running(tmp_path / "place", root, config=config) as daemon:
        status = daemon.client.wait("keyword", timeout=DEADLINE)
        assert (status["documents"], status["skipped"]) == (21, {"memory": 1})
        assert len(daemon.finds("common", limit=100)) == 20
        assert events(daemon, "file_skipped")[0]["path"] == "bomb.ipynb"


def few_descriptors(soft: int, hard: int) -> Callable[[], None]:
    def apply() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    return apply


def test_the_soft_limit_of_descriptors_is_raised_to_what_is_needed(tmp_path: Path) -> None:
    with running(tmp_path / "place", before_exec=few_descriptors(256, 16384)) as daemon:
        status = daemon.client.status()
        assert status["limits"]["descriptors"]["limit"] > 1024
        assert status["limits"]["descriptors"]["state"] == "ok"


def test_with_few_descriptors_fewer_clients_are_taken_and_the_next_one_is_told(tmp_path: Path) -> None:
    with running(tmp_path / "place", before_exec=few_descriptors(256, 256)) as daemon:
        (said,) = (reason for reason in daemon.client.health()["problems"] if "server.max_connections" in reason)
        assert "at most 64 connections are taken instead of 1,024" in said
        clients = [socket.socket(socket.AF_UNIX) for _ in range(100)]
        try:
            for client in clients:
                client.settimeout(DEADLINE)
                client.connect(str(daemon.socket))
            assert b'"kind":"busy"' in clients[-1].recv(65536)
            assert daemon.client.status()["limits"]["descriptors"]["used"] < 256
        finally:
            for client in clients:
                client.close()
        with closing(socket.socket(socket.AF_UNIX)) as late:
            until(lambda: accepted(daemon), "clients are taken again")
            late.connect(str(daemon.socket))


def test_a_daemon_out_of_descriptors_goes_on_accepting_once_there_are_some(tmp_path: Path) -> None:
    """Fewer than agentd counts with: even the accept fails, which must neither spin nor end the listener."""
    with running(tmp_path / "place", before_exec=few_descriptors(48, 48)) as daemon:
        clients = [socket.socket(socket.AF_UNIX) for _ in range(60)]
        try:
            for client in clients:
                with suppress(OSError):
                    client.connect(str(daemon.socket))
            before = cpu_seconds(daemon)
            assert daemon.client.hello()["name"] == "agentd"  # it was there before
            assert cpu_seconds(daemon) - before < 0.5
        finally:
            for client in clients:
                client.close()
        until(lambda: accepted(daemon), "clients are taken again")


def accepted(daemon: Daemon) -> bool:
    with closing(socket.socket(socket.AF_UNIX)) as probe, suppress(OSError):
        probe.settimeout(5)
        probe.connect(str(daemon.socket))
        probe.sendall(b'{"jsonrpc":"2.0","id":1,"method":"hello"}\n')
        return b'"result"' in probe.recv(65536)
    return False
