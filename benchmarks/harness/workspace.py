"""Where a run keeps its files, and how long it takes for each measurement."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.queries import make_queries

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Scale:
    """How much is measured. ``part`` is the folder of the corpus that is indexed."""

    part: str
    window_seconds: float
    load_seconds: float
    idle_seconds: float
    queries: int
    saves: int
    starts: int
    repeats: int
    remote_chunks: int


FULL = Scale(
    part=".", window_seconds=75, load_seconds=30, idle_seconds=60, queries=500, saves=30, starts=30, repeats=3,
    remote_chunks=10_000,
)  # fmt: skip
QUICK = Scale(
    part="django/db", window_seconds=10, load_seconds=8, idle_seconds=35, queries=200, saves=8, starts=10, repeats=1,
    remote_chunks=2_000,
)  # fmt: skip
"""To see that a bench works, or whether a change helps; its figures are not those of the bars."""


class Workspace:
    """A private copy of the corpus, daemons with an empty state, and one that has indexed everything.

    A context manager: what still runs is stopped at the end.
    """

    def __init__(self, folder: Path, corpus: Path, scale: Scale) -> None:
        self.scale = scale
        self._folder = folder
        self._corpus = corpus
        self._states = 0
        self._indexed: Daemon | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._indexed is not None:
            self._indexed.stop()

    @cached_property
    def tree(self) -> Path:
        """What is indexed. A copy, because a bench saves files in it; its pages are in the system's cache."""
        whole = self._folder / "corpus"
        shutil.copytree(self._corpus, whole, symlinks=True)
        part = whole / self.scale.part
        return part if part.is_dir() else whole

    @property
    def tools(self) -> Path:
        """A folder for what a bench writes outside of the tree."""
        folder = self._folder / "tools"
        folder.mkdir(exist_ok=True)
        return folder

    def queries(self, count: int) -> list[str]:
        """Distinct queries about the whole corpus."""
        return make_queries(self._corpus, count)

    def empty(self, environment: Mapping[str, str] | None = None) -> Daemon:
        """A daemon with an empty state, not started yet."""
        self._states += 1
        return Daemon(self._folder / f"daemon-{self._states}", self.tree, environment)

    def indexed(self) -> Daemon:
        """The daemon that has indexed the whole tree, vectors included; made at the first call, running after each."""
        if self._indexed is None:
            print(f"  (indexing {self.tree} with all its vectors, for this bench and those after it)", flush=True)
            self._indexed = self.empty()
            self._indexed.start()
            with self._indexed.connect() as client:
                client.wait("vectors")
        return self._indexed
