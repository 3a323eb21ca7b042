"""What every test has: the daemon's loop, and fixtures that more than one folder uses."""

from __future__ import annotations

import io
import logging
import os
import stat
from typing import TYPE_CHECKING

import pytest
import structlog
import uvloop
from storage_samples import Index

from agentd.observability.logging import configure
from agentd.observability.masking import set_secrets
from agentd.storage.catalogue import Catalogue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping
    from pathlib import Path

NOBODY = 65534


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], uvloop.Loop]]:
    """The daemon runs on uvloop, so everything is tested on it."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def as_nobody(tmp_path: Path) -> Callable[[Callable[[], None]], None]:
    """Run a check in a child for whom permissions hold, since tests may run as root; it fails where the check does."""
    for folder in (tmp_path, *tmp_path.parents):
        if stat.S_IMODE(folder.stat().st_mode) == stat.S_IRWXU:  # pytest closes its own folders to others
            folder.chmod(0o755)
    return run_as_nobody


def run_as_nobody(check: Callable[[], None]) -> None:
    child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setegid(NOBODY)
                os.seteuid(NOBODY)
            check()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.fixture
async def catalogue(tmp_path: Path) -> AsyncIterator[Catalogue]:
    opened = await Catalogue.open(tmp_path / "index.db")
    yield opened
    await opened.close()


@pytest.fixture
async def index(catalogue: Catalogue) -> Index:
    return Index(catalogue)


@pytest.fixture
def logging_as_it_was() -> Iterator[None]:
    """Logging belongs to the process: what a test configured must not be there in the next one, in whatever file."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    configure("info", "json", io.StringIO())  # closes the journal's socket
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    logging.captureWarnings(capture=False)
    set_secrets([])
    root.handlers[:] = handlers
    root.setLevel(level)
