from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING

import pytest
import structlog

from agentd.observability.logging import configure
from agentd.observability.masking import set_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
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
