"""A daemon to be killed: both its workers are inside a kernel when it has written its pid and theirs to DIRECTORY."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import kernels_for_tests as k
import uvloop
from compute_harness import lines, pids_of, running_pool, until
from kernels_for_tests import Ask

from agentd.compute.pool import Lane


async def main(directory: Path) -> None:
    async with running_pool() as pool, asyncio.TaskGroup() as group:
        group.create_task(pool.run(k.SPIN, Ask(path=str(directory / "spin")), lane=Lane.BULK))
        group.create_task(pool.run(k.HOLD_GIL, Ask(path=str(directory / "hold")), lane=Lane.INTERACTIVE))
        await until(lambda: lines(directory / "spin") and lines(directory / "hold"))
        (directory / "pids.new").write_text(json.dumps(pids_of(pool)), encoding="ascii")
        (directory / "pids.new").rename(directory / "pids")


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1])))
