"""State directory, system limits, service and model, each made to fail and mended."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest
from daemon_harness import DEADLINE, Daemon, running, write_files
from doctor_harness import QuickPatient, made_up, one, results
from scripted_peer import Result, ScriptedPeer

from agentd.cli import purge
from agentd.cli.doctor import limits, model, service, state
from agentd.cli.doctor.finding import OK, PROBLEM, SKIPPED, WARNING
from agentd.config import service as places
from agentd.daemon.locks import FileLock
from agentd.models import builtin_model_directory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agentd.cli.doctor.machine import Machine

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory that a daemon left."""
    with running(tmp_path_factory.mktemp("left")) as daemon:
        return daemon.state


@pytest.fixture
def place(left: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it."""
    monkeypatch.setenv("AGENTD_STATE_DIR", str(tmp_path / "state"))
    return shutil.copytree(left, tmp_path / "state")


def of_state(tmp_path: Path, text: str = "", machine: Machine | None = None, *, deep: bool = False) -> dict[str, str]:
    return results(state.check(QuickPatient(tmp_path / "none", text, machine, deep=deep)))


def test_a_state_directory_that_is_well_and_stays_as_it_is(place: Path, tmp_path: Path) -> None:
    before = sorted(path.name for path in place.iterdir())
    assert set(of_state(tmp_path, deep=True).values()) == {OK}
    assert sorted(path.name for path in place.iterdir()) == before


def test_a_state_directory_that_is_not_there_is_made_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTD_STATE_DIR", str(tmp_path / "none"))
    assert of_state(tmp_path) == {"state.directory": SKIPPED}
    (tmp_path / "none").write_text("")
    assert of_state(tmp_path) == {"state.directory": PROBLEM}


def test_a_state_directory_that_others_can_read(place: Path, tmp_path: Path) -> None:
    for path, name, good in ((place, "state.directory", 0o700), (place / "index.db", "state.files", 0o600)):
        path.chmod(0o755)
        assert of_state(tmp_path)[name] == PROBLEM
        path.chmod(good)
        assert of_state(tmp_path)[name] == OK


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_a_state_directory_of_another_user(place: Path, tmp_path: Path) -> None:
    for path, name in ((place, "state.directory"), (place / "index.db", "state.files")):
        os.chown(path, 65534, 65534)
        assert of_state(tmp_path)[name] == PROBLEM
        os.chown(path, 0, 0)
        assert of_state(tmp_path)[name] == OK


def test_a_state_directory_without_room_or_over_its_budget(place: Path, tmp_path: Path) -> None:
    assert of_state(tmp_path, "[limits]\nfree_disk_megabytes = 1_000_000_000\n")["state.free_space"] == PROBLEM
    (place / "keyword" / "large").write_bytes(b"x" * 3 * MIB)
    used = purge.size(str(place)) // MIB
    assert of_state(tmp_path, "[limits]\ndisk_megabytes = 1\n")["state.size"] == PROBLEM
    assert of_state(tmp_path, f"[limits]\ndisk_megabytes = {used + 1}\n")["state.size"] in {OK, WARNING}
    assert of_state(tmp_path)["state.size"] == OK


def test_a_state_directory_on_a_network(place: Path, tmp_path: Path) -> None:
    table = "1 0 0:1 / / rw - ext4 /dev/a rw\n2 1 0:2 / {} rw,noatime shared:1 - {} server:/home rw\n"
    for kind, result in (("nfs4", WARNING), ("fuse.sshfs", WARNING), ("xfs", OK)):
        machine = made_up(tmp_path / "m", {"proc/self/mountinfo": table.format(place.parent, kind)})
        assert of_state(tmp_path, machine=machine)["state.filesystem"] == result


def test_a_lock_of_a_daemon_that_answers_elsewhere(place: Path, tmp_path: Path) -> None:
    with FileLock(place / "lock", "it"):
        assert of_state(tmp_path)["state.lock"] == PROBLEM
    assert of_state(tmp_path)["state.lock"] == OK


def test_copies_of_damaged_files(place: Path, tmp_path: Path) -> None:
    copy = place / "index.db.damaged-20261122T183012Z"
    copy.write_bytes(b"")
    copy.chmod(0o600)
    assert of_state(tmp_path)["state.damaged"] == WARNING
    copy.unlink()
    assert of_state(tmp_path)["state.damaged"] == OK


def test_a_database_that_is_none_and_one_with_a_page_of_another(place: Path, tmp_path: Path) -> None:
    whole = (place / "index.db").read_bytes()
    (place / "index.db").write_bytes(b"garbage" * 9999)
    assert of_state(tmp_path)["state.index"] == PROBLEM
    (place / "index.db").write_bytes(whole)
    assert of_state(tmp_path)["state.index"] == OK
    with closing(sqlite3.connect(place / "index.db")) as database:
        (size,) = database.execute("PRAGMA page_size").fetchone()
        (page,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'document'").fetchone()
    with (place / "index.db").open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    assert of_state(tmp_path, deep=True)["state.index"] == PROBLEM


def of_limits(tmp_path: Path, files: dict[str, str], text: str = "") -> dict[str, str]:
    shutil.rmtree(tmp_path / "m", ignore_errors=True)
    return results(limits.check(QuickPatient(tmp_path / "none", text, made_up(tmp_path / "m", files))))


def test_limits_of_this_machine_are_known_and_those_that_a_kernel_hides_are_no_fault(tmp_path: Path) -> None:
    here = results(limits.check(QuickPatient(tmp_path / "none")))
    assert PROBLEM not in here.values()
    assert SKIPPED not in here.values()
    hidden = of_limits(tmp_path, {})
    skipped = {name for name, result in hidden.items() if result == SKIPPED}
    assert skipped == {"limits.watches", "limits.descriptors", "limits.memory", "limits.backlog"}


def test_fewer_watches_than_directories(tmp_path: Path) -> None:
    def found(system: int, text: str = "") -> str:
        machine = made_up(tmp_path / "m", {"proc/sys/fs/inotify/max_user_watches": f"{system}\n"})
        finding = limits.watches(QuickPatient(tmp_path / "s", text, machine))
        return finding.mend or finding.result

    with ScriptedPeer(tmp_path / "s", {"index.status": Result({"roots": [{"path": "/r", "directories": 5000}]})}):
        assert found(8192) == "sudo sysctl fs.inotify.max_user_watches=16384"
        assert found(16384) == OK
        assert found(16384, "[limits]\nwatches = 100\n") == "raise limits.watches in the configuration"


def test_a_daemon_with_fewer_watches_than_directories(tmp_path: Path) -> None:
    write_files(tmp_path / "tree", 20)
    with running(tmp_path / "daemon", tmp_path / "tree", AGENTD_LIMITS_WATCHES="2") as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        assert limits.watches(QuickPatient(daemon.socket)).result == WARNING


def test_no_instance_of_inotify_is_left(tmp_path: Path, as_nobody: Callable[[Callable[[], None]], None]) -> None:
    patient = QuickPatient(tmp_path / "none")

    def check() -> None:
        assert limits.instances(patient).result == OK
        held: list[int] = []
        library = ctypes.CDLL(None)
        while (descriptor := library.inotify_init1(0)) >= 0:
            held.append(descriptor)
        found = limits.instances(patient)
        assert (found.result, "max_user_instances" in found.mend) == (PROBLEM, True)
        os.close(held.pop())
        assert limits.instances(patient).result == OK

    as_nobody(check)


def test_fewer_open_files_than_connections_need(tmp_path: Path) -> None:
    assert limits.descriptors(QuickPatient(tmp_path / "none")).result == OK

    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300))

    with running(tmp_path / "daemon", before_exec=few) as daemon:
        found = limits.descriptors(QuickPatient(daemon.socket))
        assert (found.result, "of 300 in use" in found.found) == (WARNING, True)
        text = "[server]\nmax_connections = 50\n"
        assert limits.descriptors(QuickPatient(daemon.socket, text)).result == OK


def meminfo(available: int) -> str:
    return f"MemTotal: 8388608 kB\nMemAvailable: {available} kB\nSwapTotal: 0 kB\n"


def test_less_memory_than_the_budget_and_a_control_group_that_allows_less(tmp_path: Path) -> None:
    assert of_limits(tmp_path, {"proc/meminfo": meminfo(100_000)})["limits.memory"] == WARNING
    free = {"proc/meminfo": meminfo(4_000_000), "proc/self/cgroup": "0::/user.slice/a.service\n"}
    assert of_limits(tmp_path, free)["limits.memory"] == OK
    assert of_limits(tmp_path, free | {"groups/user.slice/memory.max": f"{512 * MIB}\n"})["limits.memory"] == WARNING
    assert of_limits(tmp_path, free | {"groups/user.slice/memory.max": "max\n"})["limits.memory"] == OK


def test_a_quota_of_less_than_a_core(tmp_path: Path) -> None:
    group = {"proc/self/cgroup": "0::/a.service\n"}
    assert of_limits(tmp_path, group | {"groups/a.service/cpu.max": "50000 100000\n"})["limits.processors"] == WARNING
    assert of_limits(tmp_path, group | {"groups/a.service/cpu.max": "max 100000\n"})["limits.processors"] == OK


def test_a_daemon_that_lies_in_swap(tmp_path: Path) -> None:
    with ScriptedPeer(tmp_path / "s", {"hello": Result({"pid": 77})}):
        for kibibytes, result in ((200_000, WARNING), (100, OK)):
            machine = made_up(tmp_path / "m", {"proc/77/status": f"Name: a\nVmSwap:  {kibibytes} kB\n"})
            assert limits.swap(QuickPatient(tmp_path / "s", "", machine)).result == result


def test_a_backlog_that_the_kernel_cuts_down(tmp_path: Path) -> None:
    patient = QuickPatient(tmp_path / "none", "[server]\nbacklog = 2_000_000_000\n")
    assert limits.backlog(patient).result == WARNING
    assert limits.backlog(QuickPatient(tmp_path / "none", "[server]\nbacklog = 16\n")).result == OK


SYSTEMCTL = """#!/bin/sh
cat "$HOME/systemctl.says" 2> /dev/null || exit 1
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose service manager says what ``systemctl.says`` holds."""
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "systemctl").write_text(SYSTEMCTL)
    (home / "bin" / "systemctl").chmod(0o755)
    for name in [name for name in os.environ if name.startswith(("AGENTD_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", f"{home / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(places, "SYSTEM_UNITS", str(home / "system"))
    monkeypatch.setattr(places, "LINGERING", str(home / "linger"))
    return home


def says(home: Path, **properties: object) -> dict[str, str]:
    usual = {"ActiveState": "active", "Result": "success", "NRestarts": 0, "UnitFileState": "enabled"}
    told = usual | {"ExecMainStatus": 0, "MainPID": 0} | properties
    (home / "systemctl.says").write_text("".join(f"{name}={value}\n" for name, value in told.items()))
    return results(service.check(QuickPatient(home / "none")))


def install(home: Path, program: str = "/bin/sh", folder: str = ".config/systemd/user", name: str = "agentd") -> None:
    (home / folder).mkdir(parents=True, exist_ok=True)
    (home / folder / f"{name}.service").write_text(f"[Service]\nExecStart={program} -m agentd\n")


def test_a_service_that_is_not_installed_is_no_fault(home: Path) -> None:
    assert says(home) == {"service.installed": SKIPPED}


def test_a_service_that_is_well_and_what_can_be_wrong_with_it(home: Path) -> None:
    install(home)
    (home / "linger").mkdir()
    (home / "linger" / "root").write_text("")
    well = {"service.installed": OK, "service.command": OK, "service.state": OK}
    lingering = says(home).pop("service.lingering")
    assert {name: says(home)[name] for name in well} == well
    assert lingering == (OK if os.getuid() == 0 else WARNING)
    (home / "linger" / "root").unlink()
    assert says(home)["service.lingering"] == WARNING
    assert says(home, ActiveState="failed", Result="exit-code", ExecMainStatus=5)["service.state"] == PROBLEM
    assert says(home, ActiveState="inactive")["service.state"] == PROBLEM
    assert says(home, UnitFileState="disabled")["service.enabled"] == WARNING
    assert says(home, NRestarts=3)["service.restarts"] == WARNING


def test_a_service_that_failed_says_what_its_exit_status_means(home: Path) -> None:
    install(home)
    says(home, ActiveState="failed", Result="exit-code", ExecMainStatus=2)
    found = one(service.check(QuickPatient(home / "none")), "service.state")
    assert "agentd --check" in found.mend
    assert "systemctl --user reset-failed" in found.mend


def test_a_service_whose_program_is_gone(home: Path) -> None:
    install(home, "/gone/bin/agentd")
    assert says(home)["service.command"] == PROBLEM
    install(home)
    assert says(home)["service.command"] == OK


def test_two_services_and_a_manager_that_says_nothing(home: Path) -> None:
    install(home)
    install(home, folder="system", name="agentd@")
    assert says(home)["service.installed"] == WARNING
    (home / "systemctl.says").unlink()
    assert results(service.check(QuickPatient(home / "none")))["service.state"] == SKIPPED


def test_another_agentd_than_that_of_the_service(home: Path, tmp_path: Path) -> None:
    install(home)
    says(home, MainPID=4242)
    with ScriptedPeer(tmp_path / "s", {"hello": Result({"pid": 77})}):
        assert results(service.check(QuickPatient(tmp_path / "s")))["service.process"] == WARNING


def of_model(tmp_path: Path, folder: Path | None, *, deep: bool = False) -> dict[str, str]:
    text = "" if folder is None else f'[embedding]\nmodel = "{folder}"\n'
    return results(model.check(QuickPatient(tmp_path / "none", text, deep=deep)))


def test_the_model_of_the_package_loads_and_one_that_is_broken_does_not(tmp_path: Path) -> None:
    assert of_model(tmp_path, None, deep=True) == {"model.files": OK, "model.loads": SKIPPED, "model.speed": OK}
    folder = tmp_path / "model"
    assert of_model(tmp_path, folder)["model.files"] == PROBLEM
    shutil.copytree(builtin_model_directory(), folder)
    assert of_model(tmp_path, folder)["model.files"] == OK
    (folder / "model.onnx").write_bytes(b"garbage")
    assert of_model(tmp_path, folder, deep=True)["model.speed"] == PROBLEM
    (folder / "model.onnx").write_bytes(b"")
    assert of_model(tmp_path, folder)["model.files"] == PROBLEM
    (folder / "model.onnx").write_bytes(b"x")
    (folder / "tokenizer.json").write_text("[")
    assert of_model(tmp_path, folder)["model.files"] == PROBLEM


def test_a_reranker_is_looked_at_where_one_is_configured(tmp_path: Path) -> None:
    text = f'[rerank]\nmodel = "{tmp_path}"\n[embedding]\nenabled = false\n'
    found = results(model.check(QuickPatient(tmp_path / "none", text)))
    assert found == {"model.files": SKIPPED, "model.reranker": PROBLEM}


def test_a_daemon_that_could_not_load_its_model(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    with Daemon(tmp_path / "daemon", AGENTD_EMBEDDING_MODEL=str(folder)) as daemon:
        assert model.loads(QuickPatient(daemon.socket)).result == PROBLEM
    with suppress(FileNotFoundError):
        shutil.rmtree(tmp_path / "daemon")
    with Daemon(tmp_path / "daemon") as daemon:
        assert model.loads(QuickPatient(daemon.socket)).result == OK
