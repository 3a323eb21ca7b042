"""Which watch is whose: paths of directories and the kernel's numbers for their watches."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


class WatchTable:
    """A path has one watch. A watch has several paths where several lead to the same directory (a bind mount, or a
    directory that was renamed a moment ago).
    """

    def __init__(self) -> None:
        self._watches: dict[str, int] = {}
        self._paths: dict[int, tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self._watches)

    def __contains__(self, directory: object) -> bool:
        return directory in self._watches

    def directories(self) -> set[str]:
        """Every path, as of now."""
        return set(self._watches)

    def add(self, directory: str, watch: int) -> None:
        """Note that ``directory``, which has no watch, is watched."""
        self._watches[directory] = watch
        self._paths[watch] = (*self._paths.get(watch, ()), directory)

    def paths(self, watch: int) -> tuple[str, ...]:
        """The directories of a watch; none where it was removed while its events were on their way."""
        return self._paths.get(watch, ())

    def remove(self, directory: str) -> int | None:
        """Forget a directory; its watch where nobody else needs it any more."""
        watch = self._watches.pop(directory, None)
        if watch is None:
            return None
        left = tuple(path for path in self._paths[watch] if path != directory)
        if left:
            self._paths[watch] = left
            return None
        del self._paths[watch]
        return watch

    def end(self, watch: int) -> tuple[str, ...]:
        """Forget a watch that the kernel ended; the directories that it was for."""
        directories = self._paths.pop(watch, ())
        for directory in directories:
            del self._watches[directory]
        return directories

    def below(self, directories: Collection[str]) -> list[str]:
        """All that is watched of ``directories`` and below them. Looks at every path, whatever their number."""
        prefixes = tuple(f"{directory}/" for directory in directories)
        return [path for path in self._watches if path in directories or path.startswith(prefixes)]
