"""25 kills, drawn from five seeds; `make soak` does 200. See one again: `make soak SEED=n KILLS=5 SOAK_MINUTES=0`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from crash_scenarios import KEYWORD, VECTORS, deal, live

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = range(5)
KILLS = 5


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_or_left_behind_whenever_the_kill_comes(tmp_path: Path, seed: int) -> None:
    for line in live(tmp_path, seed, KILLS):
        print(line)  # noqa: T201  # shown when the next one fails


def test_the_seeds_deal_every_scenario_but_what_the_soak_alone_has_time_for() -> None:
    dealt = {scenario for seed in SEEDS for scenario in deal(seed, KILLS)[1]}
    assert set(KEYWORD) <= dealt
    assert set(VECTORS) <= {scenario for seed in range(12) for scenario in deal(seed, KILLS)[1]}
