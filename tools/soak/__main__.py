"""python -m soak [--kills N] [--minutes N] [--seed N] [--place DIR]."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from soak.kills import KILLS_A_LIFE, kill_many
from soak.steady import run_steady


def main() -> int:
    """Both parts, one after the other; returns 1 where something did not hold."""
    asked = arguments()
    asked.place.mkdir(parents=True, exist_ok=True)
    good = kill_many(asked.place, asked.seed, asked.kills, asked.kills_a_life) if asked.kills else True
    if asked.minutes:
        good = run_steady(asked.place, asked.seed, asked.minutes) and good
    return 0 if good else 1


def arguments() -> argparse.Namespace:
    """What to do, and where."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="0 leaves them out")
    parser.add_argument("--kills-a-life", type=int, default=KILLS_A_LIFE, help="of one state directory, and one seed")
    parser.add_argument("--minutes", type=float, default=20.0, help="of the steady part; 0 leaves it out")
    parser.add_argument("--seed", type=int, default=100, help="the first one; each life takes the next")
    parser.add_argument("--place", type=Path, default=Path(".cache/soak"), help="where to go on from")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
