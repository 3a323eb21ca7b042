"""A command on a real pseudo-terminal, and what it wrote there."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from codecs import getincrementaldecoder
from pathlib import Path
from typing import TYPE_CHECKING

from terminal_screen import TerminalScreen

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKOUT = Path(__file__).parents[1]
ESCAPES = re.compile(r"\x1b\][^\x1b]*\x1b\\|\x1b\[[0-9;?]*[a-zA-Z]")


class Terminal:
    """``agentctl`` on a pseudo-terminal. ``seen`` is all that it wrote so far."""

    def __init__(
        self, *arguments: str, directory: Path, environ: dict[str, str], columns: int = 80, rows: int = 24
    ) -> None:
        self.seen = ""
        self.columns, self.rows = columns, rows
        self._decoder = getincrementaldecoder("utf-8")()
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        inherited = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS", "LINES"}}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "agentd.cli.main", *arguments],
            cwd=directory,
            env=inherited | {"TERM": "xterm-256color", "PYTHONPATH": str(CHECKOUT)} | environ,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)

    def wait_for(self, text: str) -> None:
        """Read until ``text`` was seen."""
        self._read(lambda: text in self.plain())

    def end(self) -> int:
        """Read to the end and return the exit code."""
        self._read(lambda: False)
        return self.process.wait(10)

    def plain(self) -> str:
        """What was seen, without escape sequences."""
        return ESCAPES.sub("", self.seen).replace("\r\n", "\n")

    def screen(self) -> TerminalScreen:
        """What stands on the terminal now, and what scrolled away."""
        screen = TerminalScreen(self.columns, self.rows)
        screen.write(self.seen)
        return screen

    def resize(self, columns: int, rows: int) -> None:
        """A person draws at the window."""
        self.columns, self.rows = columns, rows
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait(10)
        os.close(self._master)

    def _read(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 15
        while not done():
            ready, _, _ = select.select([self._master], [], [], max(deadline - time.monotonic(), 0))
            assert ready, f"not seen within 15 s; seen: {self.plain()[-2000:]!r}"
            try:
                data = os.read(self._master, 65536)
            except OSError:  # how Linux says that the other side of a terminal is closed
                data = b""
            if not data:
                return
            self.seen += self._decoder.decode(data)
