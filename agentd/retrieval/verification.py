"""Text in an answer is what is on disk now. The files behind the hits are looked at when a query is
answered.
"""

from __future__ import annotations

import asyncio
import os
from enum import Enum
from typing import TYPE_CHECKING

from agentd.kernels.signature import signature

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Executor


class OnDisk(Enum):
    """How a file compares with what was indexed."""

    SAME = "same"
    CHANGED = "changed"
    GONE = "gone"
    UNKNOWN = "unknown"


def compare(signatures: Mapping[str, str]) -> dict[str, OnDisk]:
    """Look at each file once; ``signatures`` maps absolute paths to what was noted when they were read."""
    return {path: _compare(path, noted) for path, noted in signatures.items()}


def _compare(path: str, noted: str) -> OnDisk:
    try:
        stat = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return OnDisk.GONE
    except OSError:
        return OnDisk.UNKNOWN
    return OnDisk.SAME if signature(stat) == noted else OnDisk.CHANGED


class Verifier:
    """Compares in threads of its own, so that a disk that hangs holds up nothing else."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads

    async def verify(self, signatures: Mapping[str, str], within: float) -> dict[str, OnDisk]:
        """State of each file; UNKNOWN for all where the disk does not answer ``within`` seconds."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(within):
                return await loop.run_in_executor(self._threads, compare, signatures)
        except TimeoutError:
            return dict.fromkeys(signatures, OnDisk.UNKNOWN)
