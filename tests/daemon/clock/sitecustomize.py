"""Loaded by a Python that finds this folder in PYTHONPATH: its wall clock is ahead by the seconds in a file."""

from __future__ import annotations

import os
import time

AHEAD = os.environ.get("CLOCK_AHEAD_FILE", "")
_time, _time_ns = time.time, time.time_ns


def seconds_ahead() -> int:
    with open(AHEAD, encoding="ascii") as file:  # noqa: PTH123  every process of the test starts with this
        return int(file.read())


if AHEAD:
    time.time = lambda: _time() + seconds_ahead()
    time.time_ns = lambda: _time_ns() + seconds_ahead() * 1_000_000_000
