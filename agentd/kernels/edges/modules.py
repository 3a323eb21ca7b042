"""Module keys: by which path other files import a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDERS = {
    "python": frozenset(("__init__",)),
    "javascript": frozenset(("index",)),
    "typescript": frozenset(("index",)),
    "tsx": frozenset(("index",)),
    "rust": frozenset(("mod", "lib", "main")),
    "lua": frozenset(("init",)),
}
"""Files that stand for the folder they lie in. A crate's root is ``main.rs`` where there is no ``lib.rs``."""

SHARED = frozenset(("go", "java", "kotlin", "scala", "csharp", "php", "swift"))
"""Languages whose files of one folder are one package, and see each other's names without an import."""

ALONE = frozenset(("c", "cpp", "ruby", "bash"))

IMPORTABLE = SHARED | ALONE | FOLDERS.keys()

BEYOND = "..//"
"""The key of what lies above the root: no document has it."""


def module_key(path: str, language: str) -> str:
    """The key of the document at ``path`` (relative to its root); ``""`` for a language that nothing imports."""
    if language not in IMPORTABLE:
        return ""
    folder, _, file = path.rpartition("/")
    segments = folder.split("/") if folder else []
    stem = stem_of(file)
    if language not in SHARED and stem not in FOLDERS.get(language, ()):
        segments.append(stem)
    return exact(normalised(segments, language))


def stem_of(file: str) -> str:
    """A file's name without its extension; a TypeScript declaration stands for the module that it declares."""
    stem, dot, _ = file.rpartition(".")
    return stem.removesuffix(".d") if dot and stem else file


def normalised(segments: Sequence[str], language: str) -> Sequence[str]:
    """Folders as imports spell them: a crate's dashes are underscores, a C# project's dots separate namespaces."""
    if language == "rust":
        return [segment.replace("-", "_") for segment in segments]
    if language == "csharp":
        return [part for segment in segments for part in segment.split(".") if part]
    return segments


def folder_of(path: str) -> list[str]:
    """The segments of the folder that holds ``path``."""
    return path.split("/")[:-1]


def exact(segments: Sequence[str]) -> str:
    """The key of just that path below the root."""
    return suffix(segments) + "/"


def suffix(segments: Sequence[str]) -> str:
    """The prefix of the keys of all paths that end in ``segments``."""
    return "".join(f"{segment}/" for segment in reversed(segments))


def relative(folder: Sequence[str], steps: Sequence[str]) -> str:
    """The exact key of where ``steps`` (with ``.`` and ``..`` among them) lead from ``folder``; ``BEYOND`` the root."""
    place = list(folder)
    for step in steps:
        if step == "..":
            if not place:
                return BEYOND
            place.pop()
        elif step not in ("", "."):
            place.append(step)
    return exact(place)
