from __future__ import annotations

from typing import TYPE_CHECKING

import uvloop

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], uvloop.Loop]]:
    """The daemon runs on uvloop, so its workers are tested on it."""
    return {"uvloop": uvloop.new_event_loop}
