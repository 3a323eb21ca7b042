"""Which entries of a tree are left out, and by whose word.

From the strongest source to the weakest; the first that has a matching pattern decides:

1. ``exclude`` of the configuration: what its owner keeps out, no file of a checkout lets in again;
2. ``.agentdignore`` and behind it ``.gitignore``, of the entry's own folder first, then of each folder above it;
   ``.git/info/exclude`` stands behind the two of the folder that holds ``.git``;
3. the user's global excludes file.

All have gitignore syntax. Two lists stand beside them. Folders of version control are never entered: they hold
credentials, and no text that is not in the tree itself. Folders known to be junk are left out unless ``.agentdignore``
or the configuration includes them again (``!node_modules/``); ``.gitignore`` cannot, since it speaks of what to commit.
Only what is at or below the root counts: a ``.gitignore`` above it is not read.
"""

from __future__ import annotations

import os
import stat as st
from collections.abc import Callable
from typing import NamedTuple

from agentd.kernels.gitignore import Patterns
from agentd.kernels.reading import OUT_OF_RESOURCES, open_below

MAX_RULES_BYTES = 256 * 1024
"""Of an ignore file no more is read: each pattern costs time for each file below."""

Has = Callable[[bytes], bool]
"""Whether a folder holds an entry of that name."""

VERSION_CONTROL = frozenset({b".git", b".hg", b".svn", b".bzr", b".jj", b"CVS", b"_darcs", b".pijul"})

JUNK = frozenset(
    {
        b"node_modules",  # npm, yarn and pnpm: installed packages
        b"bower_components",  # bower: installed packages
        b"jspm_packages",  # jspm: installed packages
        b"__pycache__",  # Python: byte code
        b".eggs",  # setuptools: packages installed to build
        b".tox",  # tox: virtual environments
        b".nox",  # nox: virtual environments
        b".mypy_cache",  # mypy: cache
        b".ruff_cache",
        b".pytest_cache",  # pytest: cache
        b".hypothesis",  # hypothesis: examples found
        b".ipynb_checkpoints",  # Jupyter: copies of notebooks
        b".next",  # Next.js: build output
        b".nuxt",  # Nuxt: build output
        b".svelte-kit",  # SvelteKit: build output
        b".parcel-cache",  # Parcel: cache
        b".turbo",  # Turborepo: cache
        b".nyc_output",  # Istanbul: coverage data
        b".gradle",  # Gradle: cache
        b".idea",  # JetBrains: settings and caches of the editor
        b".vs",  # Visual Studio: caches of the editor
        b".terraform",  # Terraform: providers and modules, downloaded
        b".dart_tool",  # Dart: build cache
        b"elm-stuff",  # Elm: packages and build cache
        b".stack-work",  # Haskell Stack: build output
        b".bloop",  # Scala: build output
        b".metals",  # Scala: cache of the language server
        b".direnv",  # direnv: environments
        b".Trash",  # the desktop: what was deleted
    }
)
"""Folders that tools fill and nobody reads. ``build``, ``dist`` and ``vendor`` are not here: a name is no proof."""

JUNK_SUFFIXES = (
    b".egg-info",  # setuptools: what it knows about a package
    b".dist-info",  # pip: the same, installed
)

JUNK_BESIDE: dict[bytes, tuple[bytes, ...]] = {
    b"target": (b"Cargo.toml", b"pom.xml", b"build.sbt"),  # Cargo, Maven and sbt: build output
    b"_build": (b"mix.exs", b"dune-project", b"rebar.config"),  # Elixir, OCaml and Erlang: build output
    b"deps": (b"mix.exs",),  # Elixir: installed packages
    b"Pods": (b"Podfile",),  # CocoaPods: installed packages
    b".build": (b"Package.swift",),  # Swift: build output
}
"""Folders that are junk beside one of these files."""

ENVIRONMENT = b"pyvenv.cfg"
"""A folder that holds this is a Python virtual environment, whatever its name (PEP 405)."""


class _Level(NamedTuple):
    """Patterns, the length of their folder's path with its slash, and whether they may include junk again."""

    patterns: Patterns
    offset: int
    ours: bool


class Rules:
    """What decides about the entries of one folder. Immutable; folders without ignore files share their parent's."""

    def __init__(self, configured: tuple[_Level, ...], found: tuple[_Level, ...]) -> None:
        self._configured = configured
        self._found = found
        self._levels = configured + found
        self._ours = tuple(level for level in self._levels if level.ours)

    @classmethod
    def of_root(cls, exclude: tuple[str, ...], global_excludes: str) -> Rules:
        """Rules before any folder is entered; ``global_excludes`` is the path of the user's file, or empty."""
        configured = Patterns(os.fsencode("\n".join(exclude)))
        everywhere = Patterns(_read_global(global_excludes))
        return cls(
            (_Level(configured, 0, ours=True),) if configured else (),
            (_Level(everywhere, 0, ours=False),) if everywhere else (),
        )

    def entering(self, path: bytes, folder: int, has: Has) -> Rules:
        """Rules inside the folder at ``path`` (relative to the root, ``b""`` for itself), open as ``folder``."""
        offset = len(path) + 1 if path else 0
        found = [_Level(Patterns(text), offset, ours) for text, ours in _texts(folder, has)]
        new = tuple(level for level in found if level.patterns)
        return Rules(self._configured, new + self._found) if new else self

    def ignores(self, path: bytes, name: bytes, *, is_dir: bool, has: Has) -> bool:
        """Whether the entry at ``path``, called ``name``, is left out; ``has`` asks the folder that holds it."""
        if name in VERSION_CONTROL or (_is_junk(name, is_dir=is_dir, has=has) and not self.includes(path, name)):
            return True
        for patterns, offset, _ in self._levels:
            verdict = patterns.verdict(path[offset:], name, is_dir=is_dir)
            if verdict is not None:
                return verdict
        return False

    def includes(self, path: bytes, name: bytes) -> bool:
        """Whether the configuration or an ``.agentdignore`` includes the folder at ``path`` in so many words."""
        for patterns, offset, _ in self._ours:
            verdict = patterns.verdict(path[offset:], name, is_dir=True)
            if verdict is not None:
                return not verdict
        return False


def _is_junk(name: bytes, *, is_dir: bool, has: Has) -> bool:
    """A link in place of a junk folder is junk as well; hence names count for everything but the suffixes."""
    if name in JUNK or (is_dir and name.endswith(JUNK_SUFFIXES)):
        return True
    return name in JUNK_BESIDE and any(map(has, JUNK_BESIDE[name]))


def _texts(folder: int, has: Has) -> list[tuple[bytes, bool]]:
    """The ignore files of a folder from the strongest to the weakest; true marks ours.

    What a ``.git`` file of a worktree points to lies outside the root and is not read.
    """
    texts: list[tuple[bytes, bool]] = []
    if has(b".agentdignore"):
        texts.append((_read(folder, b".agentdignore"), True))
    if has(b".gitignore"):
        texts.append((_read(folder, b".gitignore"), False))
    if has(b".git"):
        texts.append((_read(folder, b".git", b"info", b"exclude"), False))
    return texts


def _read(folder: int, *parts: bytes) -> bytes:
    """An ignore file's text, empty where it cannot be read. As in git no link is followed: it may lead outside."""
    try:
        descriptor = open_below(folder, parts)
    except OSError as error:
        if error.errno in OUT_OF_RESOURCES:
            raise
        return b""
    try:
        text = os.read(descriptor, MAX_RULES_BYTES + 1) if st.S_ISREG(os.fstat(descriptor).st_mode) else b""
        whole_lines = len(text) if len(text) <= MAX_RULES_BYTES else text.rfind(b"\n") + 1
        return text[:whole_lines]
    finally:
        os.close(descriptor)


def _read_global(path: str) -> bytes:
    """The user's own file, reached by whatever links they set up."""
    if not path:
        return b""
    directory, _, name = os.fsencode(os.path.realpath(path)).rpartition(b"/")
    try:
        folder = os.open(directory or b"/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return b""
    try:
        return _read(folder, name)
    finally:
        os.close(folder)
