"""Trees of small modules that import each other, and edits of them: all drawn from a generator of the caller's."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

PACKAGES = 6


class Corpus:
    """A root that is written to as a person would, only faster. Every module holds the word `common`."""

    def __init__(self, root: Path, rng: Random) -> None:
        self.root = root
        self._rng = rng
        self._written = 0
        """Modules written so far: their number is in their names and texts, so no two are alike."""

    def grow(self, count: int) -> None:
        """Write so many new modules."""
        for _ in range(count):
            self._written += 1
            path = self.root / f"package_{self._written % PACKAGES}" / f"module_{self._written}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self._text(self._written))

    def edit(self, count: int) -> None:
        """Rewrite, rename and delete modules, now and then a whole package, and write new ones."""
        for _ in range(count):
            self._rng.choice((self._rewrite, self._rewrite, self._rename, self._delete, self._add))()
        if self._rng.random() < 0.3:
            self._rename_package()

    def _modules(self) -> list[Path]:
        return sorted(self.root.rglob("module_*.py"))

    def _pick(self) -> Path:
        return self._rng.choice(self._modules())

    def _rewrite(self) -> None:
        self._written += 1
        self._pick().write_text(self._text(self._written))

    def _rename(self) -> None:
        self._written += 1
        path = self._pick()
        path.rename(path.with_name(f"module_{self._written}.py"))

    def _delete(self) -> None:
        if len(self._modules()) > PACKAGES:
            self._pick().unlink()

    def _add(self) -> None:
        self.grow(1)

    def _rename_package(self) -> None:
        """To a package that is not there, or into one that is, which takes its place."""
        package = self._pick().parent
        target = self.root / f"package_{self._rng.randrange(2 * PACKAGES)}"
        if target != package:
            shutil.rmtree(target, ignore_errors=True)
            package.rename(target)

    def _text(self, number: int) -> str:
        """Two chunks or three, with edges to two other modules that are there, or were, or never will be."""
        first, second = (self._rng.randint(1, self._written) for _ in range(2))
        steps = "".join(
            f"    def step_{line}(self):\n        return 'common step {line} of holder {number}'\n\n"
            for line in range(9)
        )
        return (
            f"from package_{first % PACKAGES}.module_{first} import Holder{first}, task_{first}\n"
            f"from package_{second % PACKAGES} import module_{second}\n\n\n"
            f'def task_{number}():\n    """A common task, unique{number}."""\n'
            f"    return task_{first}() + module_{second}.task_{second}()\n\n\n"
            f"class Holder{number}(Holder{first}):\n{steps}"
        )
