r"""Walk a root: every file that the ignore rules let through, with what ``stat`` says about it.

Directories are opened each relative to its parent and never through a link, so that the walk stays below the root
whatever is renamed meanwhile; one descriptor a level is held. What is listed, and how:

- a regular file, also a hidden one; over the size limit with ``too_large``;
- a symbolic link never: one that leads to something below the root is a second name of what is listed under its own,
  one that leads nowhere has no text. Where it leads outside it is an entry with ``outside_root``, in a circle one with
  ``symlink_loop``;
- a FIFO, socket or device with ``not_regular``;
- a file that holds secrets by its name with ``secret``; a folder of them as ``name/``, which is not entered;
- a name that is not UTF-8 with ``bad_name``, its odd bytes written ``\xNN``; such a directory is not entered;
- a directory that cannot be listed as ``name/`` with ``unreadable``; one below MAX_DEPTH others with ``too_deep``;
- what has a path, with that of the root, of more than MAX_PATH bytes with ``too_deep``.

What disappears between two looks is left out, as if the walk had come later. Nested repositories, submodules and
worktrees are ordinary content with ignore files of their own.
"""

from __future__ import annotations

import os
import stat as st
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from agentd.domain import SkipReason
from agentd.kernels.ignore import ENVIRONMENT, Has, Rules
from agentd.kernels.languages import BINARY
from agentd.kernels.links import judge_link
from agentd.kernels.messages import FileEntry, WalkPage, WalkRequest
from agentd.kernels.reading import DIRECTORY_FLAGS, OUT_OF_RESOURCES, relative_parts
from agentd.kernels.secret_files import FOLDERS, is_secret_file
from agentd.kernels.signature import modified_ns, signature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_DEPTH = 256
"""Directories below the root; each level holds a descriptor, of which a process has 1,024."""
MAX_PATH = 4095
"""Bytes of a path that the kernel looks up (PATH_MAX, with its NUL); nobody can open a hit with a longer one."""


def walk(request: WalkRequest) -> Iterator[WalkPage]:
    """Yield pages of at most ``page_size`` entries, directories and missing paths each; at least one page.

    A requested path is listed exactly if a walk of the whole root would list it. Entries of a directory come in the
    order of their names (as bytes), and before those of the directories in it.

    Raises:
        OSError: the process ran out of descriptors or memory; anything that is about the tree is in the pages.
    """
    try:
        root = os.open(request.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        yield WalkPage([], [], [], root_missing=True)
        return
    except PermissionError:
        yield _skipped(b".", SkipReason.UNREADABLE)
        return
    try:
        yield from _paged(_Walk(request, root).parts(), request.page_size)
    finally:
        os.close(root)


def _paged(parts: Iterator[WalkPage], size: int) -> Iterator[WalkPage]:
    """Merge the small, cut the large."""
    page = WalkPage([], [], [])
    for part in parts:
        page.entries.extend(part.entries)
        page.directories.extend(part.directories)
        page.missing.extend(part.missing)
        while max(len(page.entries), len(page.directories), len(page.missing)) > size:
            yield WalkPage(page.entries[:size], page.directories[:size], page.missing[:size])
            page = WalkPage(page.entries[size:], page.directories[size:], page.missing[size:])
    yield page


class _Folder(NamedTuple):
    """A directory that was entered, and the rules for its entries. Whoever holds it closes ``descriptor``."""

    descriptor: int
    path: bytes
    rules: Rules

    def child(self, name: bytes) -> bytes:
        """The path of an entry, relative to the root."""
        return self.path + b"/" + name if self.path else name


class _Level(NamedTuple):
    """A directory whose subdirectories are being walked; ``pending`` are their names, the next one last."""

    folder: _Folder
    pending: list[bytes]


class _Walk:
    """One request. The root's descriptor belongs to the caller."""

    def __init__(self, request: WalkRequest, root: int) -> None:
        self._request = request
        self._root_path = os.fsencode(request.root)
        self._root = root
        self._rules_above = Rules.of_root(request.exclude, request.global_excludes)
        self._rules: dict[bytes, Rules] = {}  # of directories on the way to requested paths

    def parts(self) -> Iterator[WalkPage]:
        """A page for each directory, however small or large, and for each requested file."""
        walked: set[str] = set()  # requested directories, so that what lies below one of them is not listed twice
        for requested in sorted(set(self._request.paths)):
            parts = relative_parts(requested)
            page, level = (_missing(requested), None) if parts is None else self._look_up(requested, parts)
            if not walked.isdisjoint(_folders_above(requested)):
                page = WalkPage([], [], page.missing)
                _close(level)
                level = None
            if level is not None:
                walked.add(requested)
            yield from self._tree(page, level)

    def _tree(self, page: WalkPage, level: _Level | None) -> Iterator[WalkPage]:
        """What ``level`` holds, depth first; ``page`` is about itself. Closes it, and all below it."""
        levels = [] if level is None else [level]
        try:
            yield page
            while levels:
                if levels[-1].pending:
                    page, level = self._enter(levels[-1].folder, levels[-1].pending.pop())
                    if level is not None:
                        levels.append(level)
                    yield page
                else:
                    _close(levels.pop())
        finally:
            for left in levels:
                _close(left)

    def _look_up(self, requested: str, parts: list[bytes]) -> tuple[WalkPage, _Level | None]:
        """Find a requested path as a walk from the root would: what it is, and its directory if it is one."""
        if not parts:
            return self._list(_Folder(os.dup(self._root), b"", self._rules_above))
        *above, name = parts
        folder = self._descend(above) if len(above) <= MAX_DEPTH else None
        if folder is None:
            return _missing(requested), None
        try:
            page, level = self._look_at(folder, name)
        finally:
            os.close(folder.descriptor)
        return (_missing(requested) if level is None and not page.entries else page), level

    def _descend(self, names: list[bytes]) -> _Folder | None:
        """Open the directory at ``names`` below the root; None where one is missing, a link or ignored."""
        folder = self._with_rules(_Folder(os.dup(self._root), b"", self._rules_above))
        for name in names:
            parent = folder
            try:
                if not self._may_enter(parent, name):
                    return None
                descriptor = os.open(name, DIRECTORY_FLAGS, dir_fd=parent.descriptor)
            except OSError as error:
                _raise_if_ours(error)
                return None
            finally:
                os.close(parent.descriptor)
            folder = self._with_rules(_Folder(descriptor, parent.child(name), parent.rules))
            if _is_environment(folder, parent.rules, partial(_holds, descriptor)):
                os.close(descriptor)
                return None
        return folder

    def _may_enter(self, parent: _Folder, name: bytes) -> bool:
        if self._hides(name) or not _is_directory(parent, name):
            return False
        return not self._ignores(parent, name, is_dir=True)

    def _hides(self, folder: bytes) -> bool:
        """Whether a folder is one of credentials, by its name."""
        return folder in FOLDERS and not self._request.index_secrets

    def _with_rules(self, folder: _Folder) -> _Folder:
        """Replace the rules of the parent by the folder's own, read once a request."""
        rules = self._rules.get(folder.path)
        if rules is None:
            rules = folder.rules.entering(folder.path, folder.descriptor, partial(_holds, folder.descriptor))
            self._rules[folder.path] = rules
        return folder._replace(rules=rules)

    def _look_at(self, folder: _Folder, name: bytes) -> tuple[WalkPage, _Level | None]:
        is_dir = _is_directory(folder, name)
        if self._ignores(folder, name, is_dir=is_dir):
            return WalkPage([], [], []), None
        if is_dir:
            return self._enter(folder, name)
        entry = self._describe(folder.child(name), partial(os.stat, name, dir_fd=folder.descriptor))
        return WalkPage([entry] if entry else [], [], []), None

    def _ignores(self, folder: _Folder, name: bytes, *, is_dir: bool) -> bool:
        has = partial(_holds, folder.descriptor)
        return folder.rules.ignores(folder.child(name), name, is_dir=is_dir, has=has)

    def _enter(self, parent: _Folder, name: bytes) -> tuple[WalkPage, _Level | None]:
        """Open and list a directory; without a level where it is skipped, ignored after all, or gone."""
        path = parent.child(name)
        if path.count(b"/") >= MAX_DEPTH or self._is_too_long(path):
            return _skipped(path, SkipReason.TOO_DEEP), None
        if not _is_utf8(name):
            return _skipped(path, SkipReason.BAD_NAME), None
        if self._hides(name):
            return _skipped(path, SkipReason.SECRET), None
        try:
            descriptor = os.open(name, DIRECTORY_FLAGS, dir_fd=parent.descriptor)
        except (FileNotFoundError, NotADirectoryError):  # gone, or a file or a link by now
            return WalkPage([], [], []), None
        except OSError as error:
            _raise_if_ours(error)
            return _skipped(path, SkipReason.UNREADABLE), None
        return self._list(_Folder(descriptor, path, parent.rules))

    def _list(self, folder: _Folder) -> tuple[WalkPage, _Level | None]:
        """List an open directory that still has the rules of its parent. Closes it where no level comes of it."""
        level: _Level | None = None
        try:
            with os.scandir(folder.descriptor) as found:
                listing = {os.fsencode(entry.name): entry for entry in found}
            if _is_environment(folder, folder.rules, listing.__contains__):
                return WalkPage([], [], []), None
            rules = folder.rules.entering(folder.path, folder.descriptor, listing.__contains__)
            entries, pending = self._sort_out(folder._replace(rules=rules), listing)
            level = _Level(folder._replace(rules=rules), pending)
            return WalkPage(entries, [folder.path.decode()], []), level
        except OSError as error:
            _raise_if_ours(error)
            return _skipped(folder.path or b".", SkipReason.UNREADABLE), None
        finally:
            if level is None:
                os.close(folder.descriptor)

    def _sort_out(self, folder: _Folder, listing: dict[bytes, os.DirEntry[str]]) -> tuple[list[FileEntry], list[bytes]]:
        """Entries to report, and directories to enter with the first one last."""
        ignores, has = folder.rules.ignores, listing.__contains__
        prefix = folder.child(b"")
        entries: list[FileEntry] = []
        pending: list[bytes] = []
        for name in sorted(listing):
            entry = listing[name]
            is_dir = entry.is_dir(follow_symlinks=False)
            if ignores(prefix + name, name, is_dir=is_dir, has=has):
                continue
            if is_dir:
                pending.append(name)
            elif described := self._describe(prefix + name, entry.stat):
                entries.append(described)
        pending.reverse()
        return entries, pending

    def _describe(self, path: bytes, get_stat: Callable[..., os.stat_result]) -> FileEntry | None:
        """The entry for what is no directory; None for what is gone, and for a link that needs no entry."""
        try:
            stat = get_stat(follow_symlinks=False)
            skip = self._judge(path, stat)
        except FileNotFoundError:
            return None
        except OSError as error:
            _raise_if_ours(error)
            return FileEntry(_text(path), 0, 0, "", SkipReason.UNREADABLE)
        if skip is None and not st.S_ISREG(stat.st_mode):
            return None
        return FileEntry(_text(path), stat.st_size, modified_ns(stat), signature(stat), skip)

    def _judge(self, path: bytes, stat: os.stat_result) -> SkipReason | None:
        if st.S_ISLNK(stat.st_mode):
            return judge_link(self._root_path, path)
        if not st.S_ISREG(stat.st_mode):
            return SkipReason.NOT_REGULAR
        too_large = SkipReason.TOO_LARGE if stat.st_size > self._request.max_file_bytes else None
        return self._judge_name(path) or too_large

    def _judge_name(self, path: bytes) -> SkipReason | None:
        if not _is_utf8(path):
            return SkipReason.BAD_NAME
        if self._is_too_long(path):
            return SkipReason.TOO_DEEP
        if is_secret_file(path.rpartition(b"/")[2]) and not self._request.index_secrets:
            return SkipReason.SECRET
        return SkipReason.BINARY if _is_binary(path) else None

    def _is_too_long(self, path: bytes) -> bool:
        return len(self._root_path) + len(path) >= MAX_PATH


def _is_binary(path: bytes) -> bool:
    """By the name alone; what has no telling name is judged by its content when it is read."""
    _, dot, extension = path.rpartition(b".")
    return bool(dot) and extension.lower().decode("ascii", "replace") in BINARY


def _is_directory(folder: _Folder, name: bytes) -> bool:
    try:
        return st.S_ISDIR(os.stat(name, dir_fd=folder.descriptor, follow_symlinks=False).st_mode)
    except OSError as error:
        _raise_if_ours(error)
        return False


def _is_environment(folder: _Folder, rules: Rules, has: Has) -> bool:
    """Whether to leave out a virtual environment. A root that is one was asked for by name."""
    name = folder.path.rpartition(b"/")[2]
    return bool(folder.path) and has(ENVIRONMENT) and not rules.includes(folder.path, name)


def _holds(descriptor: int, name: bytes) -> bool:
    try:
        os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    except OSError:
        return False
    return True


def _folders_above(path: str) -> set[str]:
    parts = path.split("/") if path else []
    return {"/".join(parts[:count]) for count in range(len(parts))}


def _is_utf8(name: bytes) -> bool:
    if name.isascii():
        return True
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def _text(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")


def _skipped(directory: bytes, reason: SkipReason) -> WalkPage:
    return WalkPage([FileEntry(_text(directory) + "/", 0, 0, "", reason)], [], [])


def _missing(path: str) -> WalkPage:
    return WalkPage([], [], [path])


def _close(level: _Level | None) -> None:
    if level is not None:
        os.close(level.folder.descriptor)


def _raise_if_ours(error: OSError) -> None:
    if error.errno in OUT_OF_RESOURCES:
        raise error
