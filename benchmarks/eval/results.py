"""A run at rest: every query's scores and hits, for comparing two runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from benchmarks.eval.foreign import Asked
from benchmarks.eval.scoring import Scored

if TYPE_CHECKING:
    from pathlib import Path


class Results(Struct, frozen=True):
    """What one run of the evaluation found."""

    scored: list[Scored] = []
    asked: list[Asked] = []


def write_results(path: Path, results: Results) -> None:
    """Write them as JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1))


def read_results(path: Path) -> Results:
    """What ``write_results`` wrote.

    Raises:
        msgspec.ValidationError: the file holds something else.
    """
    return msgspec.json.decode(path.read_bytes(), type=Results)
