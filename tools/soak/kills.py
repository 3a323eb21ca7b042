"""Lives of a daemon, each with some kills. What is done is noted, so that a run that was broken off goes on."""

from __future__ import annotations

import shutil
import time
import traceback
from typing import TYPE_CHECKING

from crash_scenarios import live

if TYPE_CHECKING:
    from pathlib import Path

KILLS_A_LIFE = 10
RECORD = "kills.log"
"""In ``place``: a line for each kill, and `life N survived` or `life N FAILED` after those of a seed."""


def kill_many(place: Path, seed: int, kills: int, kills_a_life: int) -> bool:
    """So many kills in lives of consecutive seeds; returns whether all of them ended well.

    Seeds whose life is in the record, and ended well, are left out. The state of a life that failed is kept.
    """
    kills_a_life = min(kills_a_life, kills)
    seeds = range(seed, seed - (-kills // kills_a_life))
    record = place / RECORD
    done = record.read_text().splitlines() if record.exists() else []
    print(f"{kills} kills, seeds {seeds[0]} to {seeds[-1]}; record in {record}", flush=True)
    began = time.monotonic()
    failed = [one for one in seeds if survived(one) not in done and not one_life(place, record, one, kills_a_life)]
    good = (len(seeds) - len(failed)) * kills_a_life
    print(f"\n{good} of {len(seeds) * kills_a_life} kills survived, {time.monotonic() - began:.0f} s")
    print(f"seeds: {', '.join(map(str, seeds))}; failed: {', '.join(map(str, failed)) or 'none'}", flush=True)
    return not failed


def survived(seed: int) -> str:
    """The line of the record for a life that ended well."""
    return f"life {seed} survived"


def one_life(place: Path, record: Path, seed: int, kills: int) -> bool:
    """All kills of one seed; returns whether it ended well."""
    folder = place / f"life-{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with record.open("a") as file:

        def tell(line: str) -> None:
            print(line, flush=True)
            file.write(f"{line}\n")
            file.flush()

        try:
            for line in live(folder.resolve(), seed, kills):
                tell(line)
        except Exception:  # noqa: BLE001  whatever it is, it is what we look for, and the next life goes on
            tell(f"life {seed} FAILED, its state is in {folder}\n{traceback.format_exc()}")
            return False
        tell(survived(seed))
    shutil.rmtree(folder)
    return True
