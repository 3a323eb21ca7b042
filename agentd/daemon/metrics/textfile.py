"""The file that node_exporter's textfile collector reads.

It is replaced whole, so that a reader never sees half of it, and not synced: after a crash of the machine it is old in
any case. A daemon that stops takes it away; one that was killed leaves it, and ``agentd_sample_time_seconds`` gets old.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

MODE = 0o644
"""Whoever runs node_exporter is another user. It holds counts and times alone."""

log = structlog.get_logger(__name__)


class Textfile:
    """Writes what ``text`` gives at a fixed cadence. A file that cannot be written is a finding, and tried again."""

    def __init__(self, path: str, interval_seconds: float, text: Callable[[], Awaitable[str]]) -> None:
        self._path = Path(path)
        self._interval = interval_seconds
        self._text = text
        self._problem = ""
        self._writing: asyncio.Task[None] | None = None

    def findings(self) -> list[tuple[str, str]]:
        """For the status: why there are no figures, if there are none."""
        return [("metrics", f"figures are not written to {self._path}: {self._problem}")] if self._problem else []

    async def run(self) -> None:
        """The service; takes the file away when it is cancelled."""
        due = time.monotonic()
        try:
            while True:
                self._note(await self._write())
                due = max(due + self._interval, time.monotonic())
                await asyncio.sleep(due - time.monotonic())
        finally:
            if self._writing is not None:
                # A thread cannot be cancelled, and must not write once the file was taken away.
                with contextlib.suppress(OSError):
                    await self._writing
            await asyncio.to_thread(remove, self._path)

    async def _write(self) -> str:
        """Write once; why it did not work, in words, or nothing."""
        text = await self._text()
        self._writing = asyncio.create_task(asyncio.to_thread(replace, self._path, text))
        try:
            await asyncio.shield(self._writing)
        except OSError as error:
            return error.strerror or str(error)
        return ""

    def _note(self, problem: str) -> None:
        """Log what is new, once."""
        if problem and problem != self._problem:
            log.warning("metrics_not_written", path=str(self._path), error=problem)
        elif self._problem and not problem:
            log.info("metrics_written_again", path=str(self._path))
        self._problem = problem


def replace(path: Path, text: str) -> None:
    """Put ``text`` in the place of what is at ``path``.

    Raises:
        OSError: the folder cannot be written, or is full.
    """
    aside = _aside(path)
    aside.unlink(missing_ok=True)
    # The folder may be others' too, who could put a link there, or a pipe that nobody reads: only a new file will do.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(aside, flags, MODE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), MODE)  # whatever the umask says
        file.write(text)
    aside.replace(path)


def remove(path: Path) -> None:
    """Leave nothing that looks as if it were from now."""
    for file in (path, _aside(path)):
        with contextlib.suppress(OSError):
            file.unlink()


def _aside(path: Path) -> Path:
    """The same name each time, so that a killed daemon leaves one at most; node_exporter passes it over."""
    return path.with_name(f".{path.name}.tmp")
