"""Which directories to watch where there are more of them than watches. Pure: counts and times in, a choice out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from agentd.kernels.messages import FileEntry

HOUR_NS = 3_600_000_000_000
AGES_NS = (HOUR_NS, 24 * HOUR_NS, 7 * 24 * HOUR_NS, 30 * 24 * HOUR_NS, 365 * 24 * HOUR_NS)
"""Hour, day, week, month, year: what was edited within one of them is likely to be edited again before what was not."""
MOST_FILES_SCORE = 14
ROOT_SCORE = (len(AGES_NS) + 1) * (MOST_FILES_SCORE + 2)
"""Above all others: what appears in a root's own directory is not seen from any other."""


def score(files: int, newest_ns: int, now_ns: int) -> int:
    """How much a directory deserves a watch, by its number of files and the time of the newest edit among them.

    Age goes before number: a class of age outweighs any number of files. From 0 to ``ROOT_SCORE`` - 1.
    """
    age = now_ns - newest_ns
    recency = sum(age < limit for limit in AGES_NS) if files else 0
    return recency * (MOST_FILES_SCORE + 2) + min(files.bit_length(), MOST_FILES_SCORE)


def choose(scores: Mapping[str, int], watched: AbstractSet[str], budget: int) -> set[str]:
    """At most ``budget`` directories, those with the highest scores. Among equals those go first that are ``watched``
    already, for a change of mind costs a scan, then those that come first.
    """
    if len(scores) <= budget:
        return set(scores)
    least, room = _threshold(Counter(scores.values()), budget)
    chosen = {directory for directory, worth in scores.items() if worth > least}
    equals = [directory for directory, worth in scores.items() if worth == least]
    equals.sort(key=lambda directory: directory not in watched)
    chosen.update(equals[:room])
    return chosen


def _threshold(histogram: Counter[int], budget: int) -> tuple[int, int]:
    """The score of which only some can be had, and how many."""
    left = max(budget, 0)
    for worth in sorted(histogram, reverse=True):
        if histogram[worth] >= left:
            return worth, left
        left -= histogram[worth]
    return 0, 0


class FolderFacts:
    """Number of files and time of the newest edit of each directory, gathered while a walk goes on."""

    def __init__(self) -> None:
        self._files: dict[str, int] = {}
        self._newest: dict[str, int] = {}

    def add(self, entries: Iterable[FileEntry]) -> None:
        """Note the files of a page."""
        files, newest = self._files, self._newest
        for entry in entries:
            folder = entry.path.rpartition("/")[0]
            files[folder] = files.get(folder, 0) + 1
            if entry.mtime_ns > newest.get(folder, 0):
                newest[folder] = entry.mtime_ns

    def score(self, directory: str, now_ns: int) -> int:
        """The score of a directory (relative to its root) that the walk entered."""
        if not directory:
            return ROOT_SCORE
        return score(self._files.get(directory, 0), self._newest.get(directory, 0), now_ns)
