"""``agentctl mcp install`` and ``uninstall`` on real files of a home made for it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest
from daemon_harness import obey_permissions

from agentd.cli import mcp_install
from agentd.cli.main import main
from agentd.config import mcp_clients as places
from agentd.config import service

CHECKOUT = Path(__file__).parents[2]
AGENTCTL = f"{Path(sys.executable).parent}/agentctl"
COMMAND = {"command": AGENTCTL, "args": ["mcp", "--add"]}
CLAUDE = """{
  "numStartups": 3,
  "mcpServers": {
    "thing": {
      "command": "npx"
    }
  }
}
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of somebody who has Claude Code and Codex."""
    home = tmp_path / "home"
    for folder in (".claude", ".codex"):
        (home / folder).mkdir(parents=True)
    (home / ".claude.json").write_text(CLAUDE)
    (home / ".codex" / "config.toml").write_text('model = "m"  # mine\n')
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "AGENTD_STATE_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name in service.unseen():
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(service, "why_temporary", lambda _directory: None)
    monkeypatch.setattr(service, "unseen", list)
    monkeypatch.chdir(home)
    return home


def test_what_a_client_does_not_see_comes_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "unseen", lambda: ["AGENTD_SOCKET", "AGENTD_CONFIG"])
    monkeypatch.setenv("AGENTD_SOCKET", "/run/a b/s")
    socket, config = mcp_install.advice(Namespace(project=False, socket=None))
    assert socket.endswith("agentctl --socket '/run/a b/s' mcp install; or set it in the \"env\" of the entry")
    assert config.endswith('do not see it; set it in the "env" of the entry')
    assert mcp_install.advice(Namespace(project=False, socket="/run/a b/s")) == [config]


def everything(folder: Path) -> dict[str, bytes | None]:
    """Every path below a folder, files with what they hold."""
    paths = [path for path in folder.rglob("*") if ".local" not in path.parts]
    return {str(path): path.read_bytes() if path.is_file() else None for path in paths}


def test_it_gives_those_that_are_here_an_entry_and_takes_it_away_again_to_the_byte(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(home)
    assert main(["mcp", "install", "--yes"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[-2:] == [f"wrote {home}/.claude.json", f"wrote {home}/.codex/config.toml"]
    assert '+    "agentd": {' in said.out
    assert "Claude Code: start it anew; /mcp lists it" in said.err
    servers = json.loads((home / ".claude.json").read_text())["mcpServers"]
    assert servers == {"thing": {"command": "npx"}, "agentd": {"type": "stdio", **COMMAND}}
    assert (home / ".codex" / "config.toml").read_text() == (
        f'model = "m"  # mine\n\n[mcp_servers.agentd]\ncommand = "{AGENTCTL}"\nargs = ["mcp", "--add"]\n'
    )
    assert main(["mcp", "uninstall", "--yes"]) == 0
    assert everything(home) == before


def test_a_second_install_changes_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["mcp", "install", "--yes"])
    after = everything(home)
    capsys.readouterr()
    assert main(["mcp", "install"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"Claude Code: {home}/.claude.json is up to date",
        f"Codex: {home}/.codex/config.toml is up to date",
    ]
    assert everything(home) == after


@pytest.mark.parametrize("name", places.NAMES)
def test_a_client_without_configuration_gets_one_which_goes_again(home: Path, name: str) -> None:
    for path in (home / ".claude.json", home / ".codex" / "config.toml"):
        path.unlink()
    before = everything(home)
    assert main(["mcp", "install", name, "--yes"]) == 0
    path = Path(places.user_files()[name])
    assert AGENTCTL in path.read_text()
    assert main(["mcp", "uninstall", name, "--yes"]) == 0
    assert everything(home) == before


@pytest.mark.parametrize(
    ("name", "path", "entry"),
    [
        ("cursor", ".cursor/mcp.json", {"mcpServers": {"agentd": {"type": "stdio", **COMMAND}}}),
        ("vscode", ".config/Code/User/mcp.json", {"servers": {"agentd": {"type": "stdio", **COMMAND}}}),
        (
            "opencode",
            ".config/opencode/opencode.json",
            {"mcp": {"agentd": {"type": "local", "command": [AGENTCTL, "mcp", "--add"], "enabled": True}}},
        ),
    ],
)
def test_each_client_is_told_in_its_own_words(home: Path, name: str, path: str, entry: object) -> None:
    assert main(["mcp", "install", name, "--yes"]) == 0
    assert json.loads((home / path).read_text()) == entry


def test_with_project_it_writes_what_all_who_work_there_share(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "shop" / ".git").mkdir(parents=True)
    (home / "shop" / "deep").mkdir()
    monkeypatch.chdir(home / "shop" / "deep")
    before = everything(home)
    assert main(["mcp", "install", *places.NAMES, "--project", "--yes"]) == 0
    assert "the entry holds a path of this machine" in capsys.readouterr().err
    new = {Path(path).relative_to(home / "shop") for path in everything(home).keys() - before.keys()}
    assert {str(path) for path in new if (home / "shop" / path).is_file()} == {
        ".mcp.json", ".codex/config.toml", ".cursor/mcp.json", ".vscode/mcp.json", "opencode.json",
    }  # fmt: skip
    assert main(["mcp", "uninstall", "--project", "--yes"]) == 0
    assert everything(home) == before


def test_opencode_is_told_in_the_file_with_comments_where_there_is_one(home: Path) -> None:
    path = home / ".config" / "opencode" / "opencode.jsonc"
    path.parent.mkdir(parents=True)
    path.write_text('{\n  // my servers\n  "mcp": {},\n}\n')
    assert main(["mcp", "install", "opencode", "--yes"]) == 0
    assert path.read_text().startswith('{\n  // my servers\n  "mcp": {\n    "agentd": {\n')
    assert not path.with_suffix(".json").exists()


def test_in_a_pipe_without_yes_it_only_shows(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = everything(home)
    assert main(["mcp", "install"]) == 2
    said = capsys.readouterr()
    assert f"+++ {home}/.claude.json" in said.out
    assert "nobody is here to confirm it; add --yes" in said.err
    assert main(["mcp", "install", "--dry-run"]) == 0
    assert everything(home) == before


def test_the_person_is_asked_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = iter(["no", "y"])
    monkeypatch.setattr("agentd.cli.command.sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("agentd.cli.command.sys.stdin.readline", lambda: next(asked), raising=False)
    assert main(["mcp", "install"]) == 2
    assert (home / ".claude.json").read_text() == CLAUDE
    assert main(["mcp", "install"]) == 0
    assert AGENTCTL in (home / ".claude.json").read_text()


def test_what_a_client_wrote_meanwhile_stays_when_the_entry_goes(home: Path) -> None:
    main(["mcp", "install", "claude-code", "--yes"])
    path = home / ".claude.json"
    written = json.loads(path.read_text())
    written["numStartups"] = 4
    written["mcpServers"]["agentd"]["env"] = {}
    path.write_text(json.dumps(written, indent=2))
    assert main(["mcp", "uninstall", "--yes"]) == 0
    del written["mcpServers"]["agentd"]
    assert path.read_text() == json.dumps(written, indent=2)


def test_another_entry_of_that_name_is_shown_replaced_and_given_back(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = home / ".claude.json"
    path.write_text('{"mcpServers": {"agentd": {"url": "http://127.0.0.1:1/mcp"}}}')
    assert main(["mcp", "install", "claude-code", "--yes"]) == 0
    assert "http://127.0.0.1:1/mcp" in capsys.readouterr().out
    assert json.loads(path.read_text())["mcpServers"]["agentd"] == {"type": "stdio", **COMMAND}
    assert main(["mcp", "uninstall", "--yes"]) == 0
    assert path.read_text() == '{"mcpServers": {"agentd": {"url": "http://127.0.0.1:1/mcp"}}}'


def test_a_move_of_agentd_is_followed_and_both_are_undone(home: Path) -> None:
    main(["--socket", "/run/other.sock", "mcp", "install", "--yes"])
    assert "--socket" in (home / ".codex" / "config.toml").read_text()
    assert main(["mcp", "install", "--yes"]) == 0
    assert "--socket" not in (home / ".codex" / "config.toml").read_text()
    assert main(["mcp", "uninstall", "--yes"]) == 0
    assert (home / ".claude.json").read_text() == CLAUDE
    assert (home / ".codex" / "config.toml").read_text() == 'model = "m"  # mine\n'


def test_without_receipts_the_entry_still_goes(home: Path) -> None:
    main(["mcp", "install", "--yes"])
    (home / ".local" / "state" / "agentd" / "mcp.json").write_text("[]")
    assert main(["mcp", "uninstall", "--yes"]) == 0
    assert (home / ".claude.json").read_text() == CLAUDE
    assert (home / ".codex" / "config.toml").read_text() == 'model = "m"  # mine\n'


def test_a_broken_file_stays_as_it_is_and_does_not_hold_up_the_others(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / ".claude.json").write_text('{"mcpServers": {')
    (home / ".cursor").mkdir()
    (home / ".cursor" / "mcp.json").write_bytes(b'{"a": "\xff"}')
    assert main(["mcp", "install", "--yes"]) == 4
    said = capsys.readouterr().err
    assert f"{home}/.claude.json cannot be read: Expecting property name" in said
    assert f"{home}/.cursor/mcp.json is not UTF-8 (byte 7)" in said
    assert (home / ".claude.json").read_text() == '{"mcpServers": {'
    assert AGENTCTL in (home / ".codex" / "config.toml").read_text()


def test_what_cannot_be_changed_line_by_line_is_for_the_person(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = home / ".codex" / "config.toml"
    path.write_text('mcp_servers = { thing = { command = "npx" } }\n')
    assert main(["mcp", "install", "codex", "--yes"]) == 4
    said = capsys.readouterr().err
    assert f'[mcp_servers.agentd]\ncommand = "{AGENTCTL}"' in said
    assert path.read_text() == 'mcp_servers = { thing = { command = "npx" } }\n'
    path.write_text('mcp_servers.agentd.command = "x"\n')
    assert main(["mcp", "uninstall", "codex", "--yes"]) == 4
    assert "Delete it by hand" in capsys.readouterr().err


def test_a_link_is_followed_and_the_mode_stays(home: Path) -> None:
    (home / "dotfiles").mkdir()
    (home / ".claude.json").rename(home / "dotfiles" / "claude.json")
    (home / ".claude.json").symlink_to("dotfiles/claude.json")
    (home / "dotfiles" / "claude.json").chmod(0o600)
    assert main(["mcp", "install", "claude-code", "--yes"]) == 0
    assert (home / ".claude.json").is_symlink()
    assert AGENTCTL in (home / "dotfiles" / "claude.json").read_text()
    assert stat.S_IMODE((home / "dotfiles" / "claude.json").stat().st_mode) == 0o600
    assert [path.name for path in (home / "dotfiles").iterdir()] == ["claude.json"]


def test_a_link_to_nothing_yet_is_followed_there_and_stays(home: Path) -> None:
    (home / ".claude.json").unlink()
    (home / ".claude.json").symlink_to("dotfiles/claude.json")
    assert main(["mcp", "install", "claude-code", "--yes"]) == 0
    assert AGENTCTL in (home / "dotfiles" / "claude.json").read_text()
    assert main(["mcp", "uninstall", "claude-code", "--yes"]) == 0
    assert (home / ".claude.json").is_symlink()
    assert not (home / "dotfiles").exists()


def test_a_pipe_or_a_device_holds_nobody_up(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / ".claude.json").unlink()
    os.mkfifo(home / ".claude.json")
    (home / ".codex" / "config.toml").unlink()
    (home / ".codex" / "config.toml").symlink_to("/dev/zero")
    assert main(["mcp", "install", "--yes"]) == 4
    assert capsys.readouterr().err.count("it is no file but a pipe or a device") == 2


def test_a_file_that_may_not_be_written_is_named(home: Path) -> None:
    """In a child that permissions hold for: a rename would replace a read-only file."""
    (home / ".claude.json").chmod(0o444)
    (home / ".codex").chmod(0o555)
    code = (
        "import sys; from agentd.cli.main import main; from agentd.config import service\n"
        "service.why_temporary = lambda directory: None\n"
        "sys.exit(main(['mcp', 'install', '--yes']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        preexec_fn=obey_permissions,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4
    assert f"Cannot write {home}/.claude.json: it may not be written." in done.stderr
    assert f"Cannot write {home}/.codex/config.toml: Permission denied." in done.stderr
    assert (home / ".claude.json").read_text() == CLAUDE


def test_a_file_that_changed_since_it_was_shown_is_not_written(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def agreed(_question: str) -> bool:
        (home / ".claude.json").write_text("{}")
        return True

    monkeypatch.setattr("agentd.cli.command.agreed", agreed)
    assert main(["mcp", "install", "claude-code"]) == 4
    assert (home / ".claude.json").read_text() == "{}"


def test_as_json_it_is_one_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mcp", "install", "codex", "--yes", "--json"]) == 0
    (change,) = json.loads(capsys.readouterr().out)["changes"]
    assert (change["client"], change["path"]) == ("codex", f"{home}/.codex/config.toml")
    assert change["written"] is True
    assert "+[mcp_servers.agentd]" in change["diff"]


def test_with_no_client_it_says_what_to_give_to_another(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(home.parent))
    assert main(["mcp", "install"]) == 1
    assert f"{AGENTCTL} mcp --add" in capsys.readouterr().err
    assert main(["mcp", "uninstall"]) == 1


def test_programs_on_the_path_count_as_here(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "bin").mkdir()
    (home / "bin" / "cursor").write_text("#!/bin/sh\n")
    (home / "bin" / "cursor").chmod(0o755)
    monkeypatch.setenv("PATH", f"{home}/bin")
    assert places.found() == ["claude-code", "codex", "cursor"]


def test_an_unknown_client_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["mcp", "install", "emacs"])
    assert "expected one of claude-code, codex, cursor, vscode, opencode, found emacs" in capsys.readouterr().err


def test_an_agentctl_that_will_not_stay_is_not_written_down(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(service, "why_temporary", lambda _directory: "it is cleared")
    assert main(["mcp", "install", "--yes"]) == 4
    assert "an MCP client that starts from there would fail one day" in capsys.readouterr().err
    assert (home / ".claude.json").read_text() == CLAUDE
