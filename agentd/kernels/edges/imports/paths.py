"""Languages that import files by their path, and most of them all that is in there: C, C++, Ruby, Lua, Bash."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agentd.kernels.edges.imports.imported import Imported, Importer, unquoted
from agentd.kernels.edges.modules import folder_of, relative, stem_of, suffix
from agentd.kernels.edges.words import words

if TYPE_CHECKING:
    from agentd.kernels.captures import Import

C_STANDARD = words(
    """
    assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg stdatomic
    stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype dirent dlfcn fcntl
    grp netdb poll pthread pwd sched semaphore strings syslog termios unistd
    """
)
_EXPANDED = re.compile(r".*(?:\$\w+|[})\"'*])", re.DOTALL)


def c(found: Import, importer: Importer) -> Imported | None:
    """A header is looked for beside the file, then wherever its path fits; those of the system are not ours.

    ``using namespace`` names no file.
    """
    header = unquoted(found.module)
    if not any(mark in header for mark in "<./"):
        return None
    file = header.strip("<>")
    system = header.startswith("<") and "/" not in file and ("." not in file or stem_of(file) in C_STANDARD)
    return Imported("*", f"{header}/" if system else _key(file, importer))


def ruby(found: Import, importer: Importer) -> Imported:
    """``require`` looks below every load path, so any folder may hold it."""
    return Imported("*", _key(unquoted(found.module), importer, extension=".rb"))


def lua(found: Import, importer: Importer) -> Imported:
    """``require "a.b"`` gives a value, which is the module as long as it is bound to a name."""
    spelled = unquoted(found.module)
    steps = spelled.split("/") if "/" in spelled else spelled.removesuffix(".lua").split(".")
    module = _key("/".join(steps), importer, extension=".lua")
    return Imported(found.alias or found.name or steps[-1], module, found.name)


def bash(found: Import, importer: Importer) -> Imported:
    """What follows the last expansion of a sourced path is all that is known of it."""
    spelled = unquoted(found.module)
    plain = _EXPANDED.sub("", spelled)
    return Imported("*", _key(plain if plain == spelled else plain.lstrip("./"), importer))


def _key(spelled: str, importer: Importer, extension: str = "") -> str:
    *folders, file = spelled.split("/")
    steps = [*folders, file.removesuffix(extension) if extension else stem_of(file)]
    if spelled.startswith("."):
        return relative(folder_of(importer.path), steps)
    return suffix([step for step in steps if step not in ("", "..")])
