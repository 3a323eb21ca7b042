"""How much time is left, on the monotonic clock, for one step of an answer."""

from __future__ import annotations

import asyncio
import math
import time


def within(deadline: float) -> asyncio.Timeout:
    """A context that raises TimeoutError at ``deadline``, a time of ``time.monotonic``; infinity never comes."""
    return asyncio.timeout(None if math.isinf(deadline) else max(0.0, deadline - time.monotonic()))
