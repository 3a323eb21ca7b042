"""``agentctl install`` and ``uninstall`` beside a ``systemctl`` that writes down what it was asked."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from scripted_peer import Result, ScriptedPeer

from agentd.cli import units as u
from agentd.cli.main import main
from agentd.cli.units import Units, check_starts, quoted, rendered
from agentd.client import AgentdClientError
from agentd.config import service
from agentd.config.paths import socket_path, socket_to_connect, state_directory
from agentd.daemon.locks import FileLock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripted_peer import Reply

SYSTEMCTL = """#!/bin/sh
echo "$*" >> "$SYSTEMCTL_LOG"
case "$*" in
    *MainPID*) cat "$SYSTEMCTL_LOG.pid" 2> /dev/null ;;
    *"$(cat "$SYSTEMCTL_LOG.fails" 2> /dev/null || echo nothing)"*) echo "Job for it failed." >&2; exit 1 ;;
esac
"""
PEER: dict[str, Reply] = {
    "hello": Result({"version": "0.1.0", "pid": 7, "protocol": 1}),
    "roots.list": Result({"roots": []}),
}


class Machine:
    """A home with a user manager, of which only the record is real."""

    def __init__(self, place: Path) -> None:
        self.home = place / "home"
        self.units = self.home / ".config" / "systemd" / "user"
        self.state = self.home / ".local" / "state" / "agentd"
        self.socket = place / "run" / "agentd" / "agentd.sock"
        self.record = place / "systemctl.log"
        self.home.mkdir()
        self.socket.parent.mkdir(parents=True)

    def asked(self) -> list[str]:
        return self.record.read_text().splitlines() if self.record.exists() else []

    def fails(self, words: str) -> None:
        Path(f"{self.record}.fails").write_text(words)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "systemctl").write_text(SYSTEMCTL)
    (tmp_path / "bin" / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("SYSTEMCTL_LOG", str(machine.record))
    monkeypatch.setenv("HOME", str(machine.home))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "AGENTD_SOCKET", "AGENTD_STATE_DIR", "AGENTD_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(service, "LINGERING", str(tmp_path))
    monkeypatch.setattr(service, "why_temporary", lambda _directory: None)
    monkeypatch.setattr(u, "check_starts", lambda _command, _account: None)  # a second each; one test has the real one
    with ScriptedPeer(machine.socket, PEER):
        yield machine


def test_install_writes_enables_starts_and_says_each_step(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install"]) == 0
    assert machine.asked() == [
        "--user show --property=Version",
        "--user daemon-reload",
        "--user enable --now agentd.socket",
        "--user enable agentd.service",
        "--user restart agentd.service",
    ]
    unit = (machine.units / "agentd.service").read_text()
    command = next(line for line in unit.splitlines() if line.startswith("ExecStart="))
    assert command.removeprefix("ExecStart=").split()[0] in {f"{Path(sys.executable).parent}/agentd", sys.executable}
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        f"wrote {machine.units}/agentd.service",
        f"wrote {machine.units}/agentd.socket",
        "ran systemctl --user daemon-reload",
        "ran systemctl --user enable --now agentd.socket",
        "ran systemctl --user enable agentd.service",
        "ran systemctl --user restart agentd.service",
        f"agentd 0.1.0 (process 7) is ready on {machine.socket}",
        "To index a folder: agentctl add DIR",
    ]
    assert said.err.splitlines() == ["The service ends when you log out. To keep it running: loginctl enable-linger"]


def test_a_second_install_changes_nothing_that_is_up_to_date_and_keeps_what_a_person_changed(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["install"])
    mine = machine.units / "agentd.service.d" / "mine.conf"
    mine.parent.mkdir()
    mine.write_text("[Service]\nNice=5\n")
    capsys.readouterr()
    assert main(["install"]) == 0
    assert f"{machine.units}/agentd.service is up to date" in capsys.readouterr().out
    assert mine.read_text() == "[Service]\nNice=5\n"
    assert "--user stop agentd.socket agentd.service" not in machine.asked()


def test_an_older_version_is_replaced_and_its_socket_is_made_anew(machine: Machine) -> None:
    main(["install"])
    for name in ("agentd.service", "agentd.socket"):
        (machine.units / name).write_text("# of an older version\n")
    machine.record.unlink()
    assert main(["install"]) == 0
    assert "ListenStream" in (machine.units / "agentd.socket").read_text()
    assert sorted(path.name for path in machine.units.iterdir()) == ["agentd.service", "agentd.socket"]
    asked = machine.asked()
    assert asked.index("--user reset-failed agentd.service agentd.socket") < asked.index(
        "--user restart agentd.service"
    )
    assert asked.index("--user stop agentd.socket agentd.service") < asked.index("--user enable --now agentd.socket")


def test_a_dry_run_only_says_what_it_would_do(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install", "--dry-run"]) == 0
    assert "would run systemctl --user restart agentd.service" in capsys.readouterr().out
    assert not machine.units.exists()
    assert machine.asked() == ["--user show --property=Version"]


def test_install_as_json_is_one_line(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["version"] == "0.1.0"
    assert f"wrote {machine.units}/agentd.service" in said["steps"]


def test_without_a_manager_it_says_how_to_get_one(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.fails("show --property=Version")
    assert main(["install"]) == 4
    assert "loginctl enable-linger" in capsys.readouterr().err
    assert not machine.units.exists()
    shutil.rmtree(machine.record.parent / "bin")
    os.environ["PATH"] = str(machine.home)
    assert main(["install"]) == 4
    assert "no systemctl here" in capsys.readouterr().err


def test_a_user_without_a_name_is_called_by_number(
    machine: Machine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(uid: int) -> pwd.struct_passwd:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    machine.fails("show --property=Version")
    assert main(["install"]) == 4
    assert f"loginctl enable-linger {os.getuid()}." in capsys.readouterr().err


def test_a_start_that_fails_names_the_journal(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.fails("restart agentd.service")
    assert main(["install"]) == 4
    said = capsys.readouterr().err
    assert "Job for it failed." in said
    assert "journalctl --user -u agentd.service -n 20" in said


def test_variables_of_the_shell_that_the_service_does_not_see_are_named(
    machine: Machine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTD_STATE_DIR", str(machine.home / "elsewhere"))
    assert main(["install"]) == 0
    assert "AGENTD_STATE_DIR is set in this shell" in capsys.readouterr().err


def test_a_temporary_environment_is_refused(
    machine: Machine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "why_temporary", lambda _directory: "it is cleared from time to time")
    assert main(["install"]) == 4
    assert "uv tool install" in capsys.readouterr().err
    assert not machine.units.exists()


def test_an_agentd_that_does_not_start_is_refused_with_what_it_said(tmp_path: Path) -> None:
    check_starts([sys.executable, "-P", "-m", "agentd"], None)
    with pytest.raises(AgentdClientError, match="No module named nothing"):
        check_starts([sys.executable, "-m", "nothing"], None)
    with pytest.raises(AgentdClientError, match="this user cannot start"):
        check_starts([str(tmp_path / "missing")], None)


@pytest.mark.parametrize(
    ("directory", "temporary"),
    [
        ("/tmp/venv", True),  # noqa: S108  # named, not used
        ("/var/tmp/x/venv", True),  # noqa: S108  # the same
        ("/dev/shm/venv", True),  # noqa: S108  # the same
        ("/scratch/tmp/venv", True),
        ("/home/a/.cache/uv/archive-v0/Xy/", True),
        ("/home/a/.local/pipx/.cache/0123456789", True),
        ("/home/a/src/project/.tox/py311", True),
        ("/home/a/.local/share/uv/tools/agentd-local", False),
        ("/home/a/.local/share/pipx/venvs/agentd-local", False),
        ("/opt/tmp/agentd", False),
        ("/home/a/tmp/agentd/.venv", False),
    ],
)
def test_what_is_temporary(directory: str, *, temporary: bool) -> None:
    assert (service.why_temporary(directory, {"TMPDIR": "/scratch/tmp"}) is not None) is temporary


def test_an_agentd_that_somebody_else_started_is_in_the_way(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.state.mkdir(parents=True)
    with FileLock(machine.state / "lock", "the state"):
        assert main(["install"]) == 4
        assert f"process {os.getpid()}" in capsys.readouterr().err
        Path(f"{machine.record}.pid").write_text(f"{os.getpid()}\n")  # it is the service's own
        assert main(["install"]) == 0


def test_uninstall_stops_disables_and_removes_the_units_alone(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["install"])
    machine.record.unlink()
    machine.state.mkdir(parents=True)
    (machine.state / "index.db").write_bytes(b"x" * 10_000)
    capsys.readouterr()
    assert main(["uninstall"]) == 0
    assert machine.asked() == [
        "--user show --property=Version",
        "--user disable --now agentd.service agentd.socket",
        "--user daemon-reload",
    ]
    assert list(machine.units.iterdir()) == []
    assert (machine.state / "index.db").exists()
    assert main(["uninstall"]) == 1
    assert "agentd.service is not installed" in capsys.readouterr().err


def test_purge_asks_first_then_deletes_all_and_says_what_it_freed(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["install"])
    machine.state.mkdir(parents=True)
    (machine.state / "index.db").write_bytes(os.urandom(2_000_000))
    config = machine.home / ".config" / "agentd"
    config.mkdir()
    (config / "agentd.toml").touch()
    (config / "key.secret").write_text("not agentd's")
    capsys.readouterr()
    assert main(["uninstall", "--purge"]) == 2  # nobody is there to ask
    assert "add --yes" in capsys.readouterr().err
    assert machine.state.exists()
    assert main(["uninstall", "--purge", "--yes"]) == 0
    said = capsys.readouterr().out
    assert f"deleted {machine.state} (2.0 MB)" in said
    assert "freed 2.0 MB" in said
    assert f"kept {config}: it holds files that agentd did not make" in said
    assert not machine.state.exists()
    assert not (config / "agentd.toml").exists()
    assert (config / "key.secret").exists()


def test_purge_works_where_nothing_is_installed_and_never_under_a_running_daemon(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.state.mkdir(parents=True)
    with FileLock(machine.state / "lock", "the state"):
        assert main(["uninstall", "--purge", "--yes"]) == 4
        assert "agentctl stop" in capsys.readouterr().err
        assert machine.state.exists()
    assert main(["uninstall", "--purge", "--yes", "--dry-run"]) == 0
    assert machine.state.exists()
    assert main(["uninstall", "--purge", "--yes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["freed_bytes"] > 0
    assert not machine.state.exists()


def test_purge_leaves_a_directory_that_agentd_did_not_make(machine: Machine) -> None:
    machine.state.mkdir(parents=True)
    (machine.state / "thesis.txt").write_text("years of work")
    shutil.rmtree(machine.socket.parent)
    assert main(["uninstall", "--purge", "--yes"]) == 1
    assert (machine.state / "thesis.txt").exists()


def test_purge_deletes_what_agentd_made_and_nothing_beside_or_behind_it(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """A state moved to a larger disk, and a configuration kept in a repository, are reached through links."""
    main(["install"])
    disk, dotfiles = machine.home / "disk", machine.home / "dotfiles"
    (dotfiles / "drop-in").mkdir(parents=True)
    disk.mkdir()
    machine.state.parent.mkdir(parents=True)
    machine.state.symlink_to(disk)
    for name in ("lock", "index.db", "index.db-wal", "index.db.damaged-20261122T183012Z-wal", "roots.json.new"):
        (disk / name).write_text("made by agentd")
    (disk / "keyword").mkdir()
    (disk / "keyword" / "meta.json").touch()
    (dotfiles / "vectors").mkdir()
    (disk / "vectors").symlink_to(dotfiles / "vectors")
    mine = [
        disk / "thesis.txt",
        dotfiles / "agentd.toml",
        dotfiles / "drop-in" / "mine.conf",
        dotfiles / "vectors" / "x",
    ]
    for path in mine:
        path.write_text("years of work")
    (machine.home / ".config" / "agentd").mkdir()
    (machine.home / ".config" / "agentd" / "agentd.toml").symlink_to(dotfiles / "agentd.toml")
    (machine.units / "agentd.service.d").symlink_to(dotfiles / "drop-in")
    assert main(["uninstall", "--purge", "--yes"]) == 0
    assert f"kept {machine.state}: it holds files that agentd did not make" in capsys.readouterr().out
    assert [path.read_text() for path in mine] == ["years of work"] * len(mine)
    assert list(disk.iterdir()) == [disk / "thesis.txt"]
    assert not os.path.lexists(machine.units / "agentd.service.d")
    assert not (machine.home / ".config" / "agentd").exists()
    mine[0].unlink()
    (disk / "lock").touch()
    assert main(["uninstall", "--purge", "--yes"]) == 0
    assert not os.path.lexists(machine.state)
    assert not disk.exists()


def test_a_service_of_the_system_needs_a_user_who_is_there_and_root(
    machine: Machine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert main(["install", "--system"]) == 2
    assert "--system USER" in capsys.readouterr().err
    assert main(["install", "--system", "nobody-here"]) == 2
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(["install", "--system", "root"]) == 2
    assert "sudo agentctl install --system root" in capsys.readouterr().err


def test_a_service_of_the_system_is_a_template_for_the_one_who_called_sudo(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(service, "SYSTEM_UNITS", str(machine.home / "etc"))
    monkeypatch.setattr(service, "system_places", lambda _user: (str(machine.socket), str(machine.state), "/none"))
    monkeypatch.setenv("SUDO_USER", pwd.getpwuid(os.getuid()).pw_name)
    name = os.environ["SUDO_USER"]
    assert main(["install", "--system"]) == 0
    assert f"enable --now agentd@{name}.socket" in machine.asked()
    assert sorted(path.name for path in (machine.home / "etc").iterdir()) == ["agentd@.service", "agentd@.socket"]
    wants = machine.home / "etc" / "multi-user.target.wants"
    wants.mkdir()
    (wants / "agentd@another.service").touch()
    assert main(["uninstall", "--system"]) == 0
    assert (machine.home / "etc" / "agentd@.service").exists()
    (wants / "agentd@another.service").unlink()
    assert main(["uninstall", "--system"]) == 0
    assert not (machine.home / "etc" / "agentd@.service").exists()


@pytest.mark.parametrize("name", ["agentd.service", "agentd.socket", "agentd@.service", "agentd@.socket"])
def test_every_unit_is_complete(name: str) -> None:
    assert "@EXEC_START@" not in rendered(name, ["/opt/agentd"])
    assert rendered(name, ["/opt/agentd"]).count("[Install]") == 1


@pytest.mark.parametrize(
    ("argument", "written"),
    [("/opt/agentd", "/opt/agentd"), ("/a b/c", '"/a b/c"'), ("/100%/$x", "/100%%/$$x"), ('/q"\\', '"/q\\"\\\\"')],
)
def test_arguments_are_written_as_systemd_reads_them(argument: str, written: str) -> None:
    assert quoted(argument) == written


def test_the_service_and_a_daemon_by_hand_share_the_state_and_the_socket(machine: Machine) -> None:
    """Else one would build a second index of the same folders, and nobody would know which one answers."""
    units = Units()
    assert units.state == state_directory() == str(machine.state)
    assert units.socket_path == socket_path() == str(machine.socket)
    unit = rendered("agentd.service", [])
    assert not [line for line in unit.splitlines() if line.startswith(("StateDirectory", "Environment"))]


def test_a_client_finds_the_users_service_of_the_system(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    name = pwd.getpwuid(os.getuid()).pw_name
    monkeypatch.setattr("agentd.config.paths.SYSTEM_RUNTIME", str(machine.home / "run"))
    theirs = machine.home / "run" / name / "agentd.sock"
    theirs.parent.mkdir(parents=True)
    theirs.touch()
    assert socket_to_connect() == str(machine.socket)  # a nearer one is there
    machine.socket.rename(machine.socket.with_name("gone"))
    assert socket_to_connect() == str(theirs)
    assert socket_to_connect({"AGENTD_SOCKET": "/named"}) == "/named"
    theirs.unlink()
    assert socket_to_connect() == str(machine.socket)
