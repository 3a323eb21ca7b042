"""What a person types and sees: each case of transcripts/*.txt runs the real command against a scripted daemon.

A case::

    == what it shows
    let NAME TEXT              $NAME stands for TEXT from here on, in this file
    cd DIR                     run below DIR of the project ($ROOT), which is where commands run otherwise
    nothing listens            there is no daemon
    reply METHOD JSON          the daemon answers so
    error METHOD KIND MESSAGE  the daemon answers so
    $ agentctl ...             the command
    | standard output
    ! standard error
    sent METHOD JSON           what the daemon was sent, in order (not checked where no such line stands)
    exit CODE                  its exit code (0 where no such line stands)
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from scripted_peer import Failure, Reply, Result, ScriptedPeer

TRANSCRIPTS = Path(__file__).parent / "transcripts"
CHECKOUT = Path(__file__).parents[2]
OURS = {"PYTHONPATH": str(CHECKOUT), "PYTHONIOENCODING": "utf-8", "TZ": "UTC"}


@dataclass
class Case:
    title: str
    directory: str = "."
    listens: bool = True
    command: str = ""
    replies: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    output: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    exit: int = 0

    def read(self, line: str) -> None:
        """Take one line of the transcript."""
        word, _, rest = line.partition(" ")
        name, _, value = rest.partition(" ")
        match word:
            case "cd":
                self.directory = rest
            case "nothing":
                self.listens = False
            case "reply":
                self.replies[name] = value
            case "error":
                self.errors[name] = value
            case "$":
                self.command = rest
            case "|":
                self.output.append(rest)
            case "!":
                self.notes.append(rest)
            case "sent":
                self.sent.append(rest)
            case "exit":
                self.exit = int(rest)
            case _:
                raise ValueError(f"not a line of a transcript: {line!r}")


def cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{path.stem}: {case.title}")
        for path in sorted(TRANSCRIPTS.glob("*.txt"))
        for case in read_cases(path.read_text(encoding="utf-8"))
    ]


def read_cases(text: str) -> list[Case]:
    found: list[Case] = []
    names: dict[str, str] = {}
    for line in text.split("\n"):
        if line.startswith("== "):
            found.append(Case(line[3:]))
        elif line.startswith("let "):
            _, name, value = line.split(" ", 2)
            names["$" + name] = substitute(value, names)
        elif line and not line.startswith("#"):
            found[-1].read(substitute(line, names))
    return found


def substitute(text: str, names: dict[str, str]) -> str:
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, names[name])
    return text


@pytest.mark.parametrize("case", cases())
def test_transcript(case: Case, tmp_path: Path) -> None:
    root, path = tmp_path / "project", tmp_path / "s"
    (root / "src").mkdir(parents=True)
    (root / "src/clock.py").touch()
    (tmp_path / "elsewhere").mkdir()

    def here(text: str) -> str:
        return text.replace("$ROOT", str(root)).replace("$SOCKET", str(path))

    replies: dict[str, Reply] = {name: Result(json.loads(here(value))) for name, value in case.replies.items()}
    replies |= {name: failure(here(value)) for name, value in case.errors.items()}
    sent: list[tuple[str, Any]] = []
    if case.listens:
        with ScriptedPeer(path, replies) as peer:
            done = type_in(here(case.command), root / case.directory, path)
            sent = peer.sent()
    else:
        done = type_in(here(case.command), root / case.directory, path)
    assert lines(done.stdout) == [here(line) for line in case.output]
    assert lines(done.stderr) == [here(line) for line in case.notes]
    assert done.returncode == case.exit
    if case.sent:
        expected = [here(line).split(" ", 1) for line in case.sent]
        assert sent == [(name, json.loads(params)) for name, params in expected]


def failure(text: str) -> Failure:
    kind, message = text.split(" ", 1)
    return Failure(kind, message)


def lines(text: str) -> list[str]:
    """By newline alone; splitlines knows more ends of a line than a terminal does."""
    return text.removesuffix("\n").split("\n") if text else []


def type_in(command: str, directory: Path, socket_path: Path) -> subprocess.CompletedProcess[str]:
    program, *arguments = shlex.split(command)
    assert program == "agentctl"
    return subprocess.run(
        [sys.executable, "-m", "agentd.cli.main", *arguments],
        cwd=directory,
        env={
            **os.environ,
            "AGENTD_SOCKET": str(socket_path),
            "PYTHONPATH": str(CHECKOUT),
            "PYTHONIOENCODING": "utf-8",
            "TZ": "UTC",
        },
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
