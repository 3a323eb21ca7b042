"""A child process that adds, removes and saves until it is killed; prints each save that was acknowledged.

python vector_victim.py DIRECTORY
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

import numpy as np
import numpy.typing as npt

from agentd.storage import vector_view
from agentd.storage.vector_view import VectorView

DIMENSION = 48


def codes_of(chunk_ids: npt.NDArray[np.uint64]) -> npt.NDArray[np.int8]:
    """The one right vector of each chunk."""
    return np.array(
        [np.random.default_rng(each).integers(-127, 128, DIMENSION) for each in chunk_ids.tolist()], dtype=np.int8
    ).reshape(-1, DIMENSION)


def main() -> None:
    vector_view.COMPACT_ROWS = 50
    view = VectorView.open(Path(sys.argv[1]), "epoch", "space", DIMENSION)
    print("opened", flush=True)  # noqa: T201 - the parent reads it
    for generation in count(view.generation + 1):
        ids = np.arange(generation * 20, generation * 20 + 20, dtype=np.uint64)
        view.add(ids, ids // 4, np.ones(20), codes_of(ids), np.full(20, 0.01, dtype=np.float32))
        # One batch is left whole, every other is thinned out: files are compacted now and then.
        view.remove(ids[5:] if generation % 2 else [])
        view.save(generation)
        print(generation, flush=True)  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    main()
