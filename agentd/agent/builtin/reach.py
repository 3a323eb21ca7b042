"""What of the index a run may see, and which of it a model means by a path."""

from __future__ import annotations

import asyncio
import os.path
import re
from typing import TYPE_CHECKING, Protocol, TypeVar

from agentd.errors import OutsideRootsError, ToolInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from agentd.agent.contracts import Library, Scope

MOST_ROOTS = 100
"""As many as a request may name. A run with more of them is about all there are, and its results are sifted."""
CANDIDATES = 5
"""Files that an error names."""
LISTED = 50
"""Files that are looked at for a path."""

_LINES = re.compile(r":\d+(?:-\d+)?\Z")
_WILD = re.compile(r"[*?\[]")

Row = TypeVar("Row", bound="InRoot")


class InRoot(Protocol):
    """A row of an answer, which says what root it is of."""

    def __getitem__(self, key: str, /) -> object:
        """Its fields."""
        ...


def asked(scope: Scope) -> list[str]:
    """The roots to ask for; none stands for all."""
    return list(scope.roots) if len(scope.roots) <= MOST_ROOTS else []


def sifted(rows: Iterable[Row], scope: Scope) -> list[Row]:
    """Those of the run's roots."""
    return [row for row in rows if row["root"] in scope.roots]


def roots_of(*groups: Iterable[InRoot]) -> frozenset[str]:
    """The roots of which rows tell."""
    return frozenset(str(row["root"]) for rows in groups for row in rows)


def shown(path: str, scope: Scope) -> str:
    """``path`` in as few words as the run allows: below its only root, or absolute. On one line: what follows a line
    break in a name would look like words of ours.
    """
    path = " ".join(path.splitlines())
    return path.removeprefix(f"{scope.roots[0]}/") if len(scope.roots) == 1 else path


def absolute(path: str, scope: Scope) -> str:
    """What ``shown`` made of a path, as it was."""
    return path if path.startswith("/") or len(scope.roots) != 1 else f"{scope.roots[0]}/{path}"


def glob(pattern: str, scope: Scope) -> str:
    """A glob relative to a root, as models write it: with ``./`` or the root's own path before it."""
    for root in scope.roots:
        pattern = pattern.removeprefix(f"{root}/")
    return pattern.removeprefix("./") or "**"


def root_of(path: str, scope: Scope) -> str:
    """The root of the run that holds an absolute path; empty where none does."""
    return next((root for root in scope.roots if path == root or path.startswith(f"{root}/")), "")


def within(path: str, scope: Scope) -> str:
    """An absolute path below a root of the run, normalised.

    Raises:
        OutsideRootsError: none of them holds it.
    """
    path = f"/{os.path.normpath(path).lstrip('/')}"  # normpath leaves two slashes, as POSIX does
    if not root_of(path, scope):
        raise OutsideRootsError(f"{path} lies outside of what can be read here: {', '.join(scope.roots[:CANDIDATES])}")
    return path


def named(symbol: str, scope: Scope) -> str:
    """A name as the graph takes it: one of the form ``PATH:NAME`` or ``PATH:LINE`` must lie within the run's roots.

    Raises:
        OutsideRootsError: the path lies elsewhere.
    """
    symbol = symbol.strip().strip("`")
    if not symbol.startswith("/"):
        return symbol
    path, colon, rest = symbol.rpartition(":")
    return f"{within(path, scope)}:{rest}" if colon else within(symbol, scope)


async def file_at(path: str, scope: Scope, library: Library) -> str:
    """The absolute path of the file that ``path`` means: absolute, relative to a root, or its end where no other file
    has it.

    Raises:
        OutsideRootsError: no root of the run holds it.
        ToolInputError: no file has it, or several do; the message names those that come near.
    """
    path = cleaned(path)
    if path.startswith("/"):
        return within(path, scope)
    found = await _files([path, without_root(path, scope)], scope, library)
    exact = [each for each, root in found.items() if each in {f"{root}/{path}", f"{root.rpartition('/')[0]}/{path}"}]
    found = found or await _files([f"**/{path}"], scope, library)
    meant = exact or list(found)
    if len(meant) == 1:
        return meant[0]
    near = meant or list(await _files([path.rpartition("/")[2]], scope, library))
    raise ToolInputError(_which(path, near, "file"))


async def place_at(path: str, scope: Scope, library: Library) -> str:
    """As ``file_at`` of a file or a folder; an empty path is the run's only root.

    Raises:
        OutsideRootsError: no root of the run holds it.
        ToolInputError: nothing has this path, or several do.
    """
    path = cleaned(path)
    if path.startswith("/"):
        return within(path, scope)
    if path in {"", "."}:
        if len(scope.roots) == 1:
            return scope.roots[0]
        raise ToolInputError(_which("the path", list(scope.roots), "folder"))
    meant = await asyncio.gather(*(_below(root, path, library) for root in scope.roots))
    there = [each for each in meant if each]
    if len(there) == 1:
        return there[0]
    if there:
        raise ToolInputError(_which(path, there, "folder"))
    return await file_at(path, scope, library)


def cleaned(path: str) -> str:
    """A path as a model writes it, without what stands around it: quotes, and the lines that our own lists show.

    >>> cleaned("`./src/app.py:10-20`")
    'src/app.py'
    """
    path = _LINES.sub("", path.strip().strip("`'\""))
    return os.path.normpath(path) if path else path


def without_root(path: str, scope: Scope) -> str:
    """``path`` below a root where it begins with the root's own name, which models like to repeat."""
    first, slash, rest = path.partition("/")
    return rest if slash and any(root.endswith(f"/{first}") for root in scope.roots) else path


def literal(path: str) -> str:
    """A glob that matches ``path`` alone.

    >>> literal("app/[id].tsx")
    'app/[[]id].tsx'
    """
    return _WILD.sub(lambda match: f"[{match[0]}]", path)


async def _files(paths: Sequence[str], scope: Scope, library: Library) -> Mapping[str, str]:
    """Absolute paths of files, with their roots; ``**/`` before a path stands for any folders."""
    globs = ["**/" + literal(path[3:]) if path.startswith("**/") else literal(path) for path in dict.fromkeys(paths)]
    found = await library.list_files(roots=asked(scope), paths=globs, limit=LISTED)
    return {file["path"]: file["root"] for file in sifted(found["files"], scope)}


async def _below(root: str, path: str, library: Library) -> str:
    """The file or folder at ``path`` in ``root``; empty where the index knows nothing there."""
    place = f"{root}/{path}"
    found = await library.list_files(roots=[root], paths=[literal(path)], limit=LISTED)
    return place if any(f"{file['path']}/".startswith(f"{place}/") for file in found["files"]) else ""


def _which(path: str, near: Sequence[str], what: str) -> str:
    """Why a path is of no use, and what may be meant."""
    if not near:
        return f"no {what} of the index is at {path}: it is missing, ignored or skipped; list_files shows what there is"
    others = f", and {len(near) - CANDIDATES} others" if len(near) > CANDIDATES else ""
    return f"{path} is not one {what} of the index; say which: {', '.join(near[:CANDIDATES])}{others}"
