"""``agentctl doctor`` as people meet it: with a daemon that is well, without one, and with one that is not."""

from __future__ import annotations

import json
import os
import platform
import re
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from daemon_harness import DEADLINE, Daemon, running, until, write_files
from doctor_harness import QuickPatient, one, results
from scripted_peer import Result, ScriptedPeer

from agentd.cli.doctor import configuration, daemon, model, report, sockets, versions
from agentd.cli.doctor.examination import GROUPS, examine, guarded
from agentd.cli.doctor.finding import OK, PROBLEM, SKIPPED, WARNING, Finding, ok
from agentd.cli.doctor.patient import Patient
from agentd.cli.main import main
from agentd.cli.output import Screen
from agentd.daemon.locks import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHECKOUT = Path(__file__).parents[2]
NO_CHECKS = {"index.db", "index.inspect", "index.status", "model.onnx"}
PIPE = Screen(is_terminal=False)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    for name in [name for name in os.environ if name.startswith(("AGENTD_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture
def well(tmp_path: Path, home: Path) -> Iterator[Daemon]:
    write_files(home / "tree", 30)
    with running(tmp_path / "daemon", home / "tree") as well:
        well.client.wait("keyword", timeout=DEADLINE)
        yield well


def test_a_daemon_that_is_well_has_no_problem_and_the_report_says_so(
    well: Daemon, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--verbose", "--socket", str(well.socket)]) == 0
    report = capsys.readouterr().out
    assert " 0 problems, " in report.splitlines()[-1]
    assert "~/tree" in report
    assert str(home) not in report
    for group in GROUPS:
        assert f"  {group}." in report


def test_as_json_it_is_a_list_of_findings_and_problems_are_a_failure(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--json", "--socket", str(tmp_path / "none")]) == 4
    found = json.loads(capsys.readouterr().out)
    assert all(list(each) == ["name", "group", "result", "found", "expected", "mend"] for each in found)
    assert {each["result"] for each in found} <= {OK, WARNING, PROBLEM, SKIPPED}
    assert [each["name"] for each in found if each["result"] == PROBLEM] == ["socket.answers"]
    assert {each["group"] for each in found} == set(GROUPS)


def test_what_is_well_is_one_line_a_group_and_the_rest_says_how_to_mend_it() -> None:
    findings = [ok("a.x", "1"), ok("a.y", "2"), Finding("a.z", PROBLEM, "off", "on", "switch it")]
    assert report.lines(findings, PIPE, verbose=False) == [
        "ok       a    2 checks",
        "problem  a.z  off",
        "              expected: on",
        "              mend: switch it",
        "",
        "2 ok, 0 warnings, 1 problem, 0 skipped",
    ]
    assert "ok       a.x  1" in report.lines(findings, PIPE, verbose=True)


def test_the_home_directory_is_shortened_wherever_a_shell_still_reads_it(home: Path) -> None:
    said = f"{home}: {home}/x '{home}/a b' {home}-other /mnt{home}/x"
    assert report.without_home(said) == f"~: ~/x ~/'a b' {home}-other /mnt{home}/x"


def test_what_drives_a_terminal_is_shown_as_signs() -> None:
    shown = report.lines([Finding("a.z", PROBLEM, "off\x1b[2J")], PIPE, verbose=False)
    assert "\x1b" not in "".join(shown)


def test_a_group_that_cannot_go_on_leaves_the_others_alone(tmp_path: Path) -> None:
    def broken(_patient: Patient) -> Iterator[Finding]:
        yield ok("roots.first", "")
        raise KeyError("coverage")

    found = list(guarded("roots", broken, QuickPatient(tmp_path / "none")))
    assert results(found) == {"roots.first": OK, "roots.rest": SKIPPED}


def test_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedPeer(tmp_path / "s", {"hello": Result({"version": "0.0.1", "protocol": 99, "pid": 1})}):
        assert results(versions.check(QuickPatient(tmp_path / "s"))) == {
            "versions.system": OK,
            "versions.daemon": WARNING,
            "versions.protocol": PROBLEM,
        }
    assert results(versions.check(QuickPatient(tmp_path / "none")))["versions.daemon"] == SKIPPED
    monkeypatch.setattr(platform, "release", lambda: "4.19.0")
    assert versions.system().result == PROBLEM


def test_the_configuration_is_checked_by_agentd_and_no_value_of_the_environment_is_shown(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> list[Finding]:
        patient = Patient(str(tmp_path / "none"), root=None, sample=0, deep=False)
        return list(configuration.check(patient))

    file = home / ".config" / "agentd" / "agentd.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[serverr]\n")
    assert one(found(), "configuration.valid").result == PROBLEM
    file.write_text(f'[[root]]\npath = "{home}/gone"\n')
    assert one(found(), "configuration.likely").result == WARNING
    (home / "gone").mkdir()
    assert set(results(found()).values()) == {OK}
    monkeypatch.setenv("AGENTD_SERVER_BACKLOG", "hunter2")
    wrong = one(found(), "configuration.valid")
    assert wrong.result == PROBLEM
    assert "AGENTD_SERVER_BACKLOG" in wrong.found
    assert "hunter2" not in str(wrong)


def test_a_shell_that_leads_elsewhere_than_the_service(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unit = home / ".config" / "systemd" / "user" / "agentd.service"
    unit.parent.mkdir(parents=True)
    unit.write_text("[Service]\n")
    assert configuration.environment().result == OK
    monkeypatch.setenv("AGENTD_STATE_DIR", "/secret-place")
    found = configuration.environment()
    assert found.result == WARNING
    assert "/secret-place" not in str(found)


def look(daemon: Daemon, group: Callable[[Patient], Iterator[Finding]] = sockets.check) -> dict[str, str]:
    return results(group(QuickPatient(daemon.socket)))


def test_a_socket_that_others_can_reach_or_replace(well: Daemon) -> None:
    for path, mode, name in ((well.socket.parent, 0o777, "directory"), (well.socket, 0o666, "file")):
        before = path.stat().st_mode & 0o777
        path.chmod(mode)
        assert look(well)[f"socket.{name}"] == PROBLEM
        path.chmod(before)
        assert set(look(well).values()) == {OK}


def test_a_directory_in_tmp_in_which_agentd_would_not_start() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        for mode, shared, expected in (
            (0o755, False, PROBLEM),
            (0o711, False, PROBLEM),
            (0o711, True, OK),
            (0o700, False, OK),
        ):
            Path(folder).chmod(mode)
            assert sockets.directory(folder, shared=shared).result == expected


def test_a_socket_at_a_long_path_or_that_is_none(tmp_path: Path) -> None:
    assert sockets.length(f"/{'x' * 107}").result == WARNING
    assert sockets.length(f"/{'x' * 106}").result == OK
    (tmp_path / "s").write_text("")
    assert sockets.file(str(tmp_path / "s"), shared=False).result == PROBLEM


def test_a_daemon_that_is_stopped_does_not_answer_and_goes_on_as_advised(well: Daemon) -> None:
    well.signal(signal.SIGSTOP)
    try:
        found = one(sockets.check(QuickPatient(well.socket)), "socket.answers")
        assert (found.result, found.mend) == (PROBLEM, f"kill -CONT {well.pid}")
    finally:
        well.signal(signal.SIGCONT)
    assert look(well)["socket.answers"] == OK


def test_a_daemon_that_was_killed_leaves_a_stale_socket(well: Daemon) -> None:
    well.kill()
    found = one(sockets.check(QuickPatient(well.socket)), "socket.answers")
    assert found.result == PROBLEM
    assert "left by an agentd that was killed" in found.found
    well.start()
    assert look(well)["socket.answers"] == OK


def test_a_lock_that_another_process_holds(tmp_path: Path) -> None:
    patient = QuickPatient(tmp_path / "s")
    with FileLock(tmp_path / "s.lock", "it"):
        found = one(sockets.check(patient), "socket.lock")
        assert found.result == PROBLEM
        assert f"process {os.getpid()} holds" in found.found
    assert one(sockets.check(patient), "socket.lock").result == OK


def test_problems_that_the_daemon_tells_and_workers_that_died(well: Daemon, home: Path) -> None:
    assert look(well, daemon.check)["daemon.workers"] == OK
    os.kill(well.workers("interactive")[0], signal.SIGKILL)
    well.client.search("common task")  # waits for the worker that takes its place
    assert look(well, daemon.check)["daemon.workers"] == WARNING
    (home / "tree").rename(home / "away")
    until(lambda: look(well, daemon.check)["daemon.health"] == PROBLEM)
    (home / "away").rename(home / "tree")
    until(lambda: look(well, daemon.check)["daemon.health"] == WARNING)  # no vectors, by choice


@pytest.mark.parametrize(
    ("found", "result"),
    [
        (daemon.services({"watcher": 0}), OK),
        (daemon.services({"watcher": 2}), WARNING),
        (daemon.lag({"p99_ms": 3.0, "max_ms": 9.0}), OK),
        (daemon.lag({"p99_ms": 80.0, "max_ms": 90.0}), WARNING),
        (daemon.refusals({"server": {"refused": {}, "shed": 0, "errors": {}}}), OK),
        (daemon.refusals({"server": {"refused": {"busy": 2}}}), WARNING),
        (daemon.refusals({"server": {"errors": {"busy": 1}}}), WARNING),
        (daemon.views({"keyword": {"behind": 0, "behind_seconds": 0.0}}), OK),
        (daemon.views({"keyword": {"behind": 9, "behind_seconds": 100.0}}), WARNING),
    ],
)
def test_figures_of_the_daemon(found: Finding, result: str) -> None:
    assert found.result == result


def test_a_budget_that_is_reached(tmp_path: Path) -> None:
    limits = {"memory": {"used": 1, "limit": 2, "state": "ok"}, "free_disk": {"used": 1, "limit": 2, "state": "paused"}}
    with ScriptedPeer(tmp_path / "s", {"index.status": Result({"limits": limits})}):
        assert daemon.budgets(QuickPatient(tmp_path / "s")).result == WARNING
        limits["free_disk"]["state"] = "ok"
        assert daemon.budgets(QuickPatient(tmp_path / "s")).result == OK


def test_servers_by_their_state(tmp_path: Path, home: Path) -> None:
    servers = [
        {"name": name, "purposes": ["chat"], "state": state, "reason": "no key"}
        for name, state in (("a", "ok"), ("b", "untried"), ("c", "waiting"), ("d", "refused"))
    ]
    with ScriptedPeer(tmp_path / "s", {"index.status": Result({"providers": servers})}):
        found = list(model.servers(QuickPatient(tmp_path / "s")))
    assert [each.result for each in found] == [OK, OK, WARNING, PROBLEM]
    assert found[3].found == "d (chat) is refused: no key"
    assert "kill -HUP " in found[3].mend
    unit = home / ".config" / "systemd" / "user" / "agentd.service"
    unit.parent.mkdir(parents=True)
    unit.write_text("[Service]\n")
    assert sockets.reload_command(7) == "systemctl --user reload agentd.service"


def test_all_of_it_is_made_in_under_two_seconds_of_processor_time(well: Daemon) -> None:
    before = os.times()
    examine(str(well.socket), root=None, sample=200, deep=False)
    after = os.times()
    assert sum(after[:4]) - sum(before[:4]) < 2


def test_every_check_is_listed_in_the_documentation() -> None:
    named = re.compile(rf'"((?:{"|".join(GROUPS)})\.[a-z_]+)"[,)]')
    sources = (CHECKOUT / "agentd" / "cli" / "doctor").glob("*.py")
    names = {name for source in sources for name in named.findall(source.read_text())} - NO_CHECKS
    page = (CHECKOUT / "docs" / "doctor.md").read_text()
    assert len(names) > 35
    assert not [name for name in names if f"`{name}`" not in page]
