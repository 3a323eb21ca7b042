"""A real tree in a git repository with two branches, and a person who edits it, switches, and comes back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

PACKAGES = ("asyncio", "concurrent", "email", "http", "importlib", "json", "logging", "unittest", "urllib", "xml")
"""Of the standard library that runs this: text that people wrote, on every machine."""

GIT = ("git", "-c", "user.name=soak", "-c", "user.email=soak@localhost", "-c", "commit.gpgsign=false")
OTHER = "other"


class Tree:
    """The root. ``main`` is how it came, ``other`` has a third of it changed, moved and deleted."""

    def __init__(self, root: Path, rng: Random) -> None:
        self.root = root
        self._rng = rng
        self._tokens = 0
        library = Path(sysconfig.get_paths()["stdlib"])
        for package in PACKAGES:
            shutil.copytree(library / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
        self._git("init", "--quiet", "--initial-branch=main")
        self._commit("As it came")
        self._git("checkout", "--quiet", "-b", OTHER)
        self._change_a_third()
        self._commit("Another branch")
        self._git("checkout", "--quiet", "main")

    def files(self) -> list[Path]:
        """Every Python file there is now."""
        return sorted(self.root.rglob("*.py"))

    def pick(self) -> Path:
        """Any of them."""
        return self._rng.choice(self.files())

    def write_token(self) -> tuple[Path, str]:
        """Add a function with a name that was nowhere before to some file; returns both."""
        self._tokens += 1
        name = "soak" + "".join("bcdfghjkmp"[int(digit)] for digit in f"{self._tokens:05}")
        path = self.pick()
        with path.open("a") as file:
            file.write(
                f'\n\ndef {name}():\n    """A passage that was written a moment ago."""\n    return {self._tokens}\n'
            )
        return path, name

    def rename(self) -> None:
        """Give a file another name in its folder."""
        self._tokens += 1
        path = self.pick()
        path.rename(path.with_name(f"renamed_{self._tokens}.py"))

    def save_by_rename(self) -> None:
        """As editors save: written aside, then renamed over."""
        path = self.pick()
        aside = path.with_name(f".{path.name}.swp")
        aside.write_text(path.read_text(errors="replace") + "\n# saved\n")
        aside.rename(path)

    def delete(self) -> None:
        """Take a file away."""
        self.pick().unlink()

    def switch(self) -> None:
        """Go to the other branch, with everything that was not committed thrown away."""
        branch = self._git("rev-parse", "--abbrev-ref", "HEAD").strip()
        self.go_to("main" if branch == OTHER else OTHER)

    def go_to(self, branch: str) -> None:
        """Exactly that branch, and nothing beside it."""
        self._git("checkout", "--quiet", "--force", branch)
        self._git("clean", "--quiet", "-fdx")

    def _change_a_third(self) -> None:
        for number, path in enumerate(self.files()):
            if number % 9 == 0:
                path.unlink()
            elif number % 9 == 3:
                path.rename(path.with_name(f"moved_{path.name}"))
            elif number % 9 == 6:
                path.write_text(path.read_text(errors="replace").replace("self", "this"))
        (self.root / "json").rename(self.root / "jason")

    def _commit(self, message: str) -> None:
        self._git("add", "--all")
        self._git("commit", "--quiet", "-m", message)

    def _git(self, *arguments: str) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.root), "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            [*GIT, *arguments], cwd=self.root, env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout
