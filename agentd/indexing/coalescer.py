"""Which paths are due for a scan: a pure function of the hints so far and of the time."""

from __future__ import annotations

MAX_PATHS = 256
"""More changed paths than this and one walk of the whole root is cheaper than many small ones."""

WHOLE_ROOT = ""


class Coalescer:
    """Gathers hints until each path has been quiet for ``quiet`` seconds.

    A path that never falls quiet (a log file) is due ``patience`` quiet periods after its first hint all the same.
    Times are seconds of any one clock.
    """

    def __init__(self, quiet: float, patience: int = 10) -> None:
        self.quiet = quiet
        self.patience = patience
        self._hints: dict[str, tuple[float, float]] = {}

    def __len__(self) -> int:
        return len(self._hints)

    def hint(self, path: str, now: float) -> None:
        """Note that ``path`` may have changed."""
        if WHOLE_ROOT in self._hints:
            path = WHOLE_ROOT
        first, _ = self._hints.get(path, (now, now))
        self._hints[path] = (first, now)
        if len(self._hints) > MAX_PATHS:
            first = min(first for first, _ in self._hints.values())
            self._hints = {WHOLE_ROOT: (first, now)}

    def next_due(self) -> float | None:
        """When the next path falls due, or None where nothing is hinted."""
        return min((self._due(first, last) for first, last in self._hints.values()), default=None)

    def take_due(self, now: float) -> set[str]:
        """The paths due at ``now``, which are forgotten; a whole root swallows all others."""
        due = {path for path, (first, last) in self._hints.items() if self._due(first, last) <= now}
        if WHOLE_ROOT in due:
            self._hints.clear()
            return {WHOLE_ROOT}
        for path in due:
            del self._hints[path]
        return due

    def _due(self, first: float, last: float) -> float:
        return min(last + self.quiet, first + self.quiet * self.patience)
