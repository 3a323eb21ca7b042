"""Languages whose imports name what is declared, and whose folders follow that: Java, Kotlin, Scala, C#, PHP, Swift."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agentd.kernels.edges.imports.imported import Imported, Importer, unquoted
from agentd.kernels.edges.modules import folder_of, module_key, suffix

if TYPE_CHECKING:
    from agentd.kernels.captures import Import

_SEPARATOR = re.compile(r"[.\\]|::")


def jvm(found: Import, importer: Importer) -> Imported:
    """``a.b.C.d`` is ``C.d`` in the package ``a.b``, since packages are lower case; a wildcard may be of a class."""
    package, path = _split(_segments(found), whole=found.wildcard)
    module = suffix(package) or _own(importer)
    return Imported("*" if found.wildcard else found.alias or path[-1], module, ".".join(path))


def csharp(found: Import, _importer: Importer) -> Imported:
    """``using A.B`` opens a namespace; only an alias, or a name taken from it, says that the last part is a type."""
    segments = _segments(found)
    if not found.alias and not found.name:
        return Imported("*", suffix(segments))
    return Imported("*" if found.wildcard else found.alias or segments[-1], suffix(segments[:-1]), segments[-1])


def php(found: Import, importer: Importer) -> Imported:
    """The first part of a namespace is the vendor's, and PSR-4 maps it to a folder of any name: it is left out."""
    if found.wildcard:  # an included file, not a name: it shares its key with its folder
        return Imported("*", suffix(folder_of(unquoted(found.module).lstrip("./"))) or _own(importer))
    segments = _segments(found)
    namespace = segments[:-1]
    module = suffix(namespace[1:] or namespace) or _own(importer)
    return Imported(found.alias or segments[-1], module, segments[-1])


def swift(found: Import, _importer: Importer) -> Imported:
    """A module of Swift is a folder of sources, and gives all its names."""
    return Imported("*", suffix(_segments(found)[:1]))


def _own(importer: Importer) -> str:
    return module_key(importer.path, importer.language)


def _segments(found: Import) -> list[str]:
    spelled = f"{unquoted(found.module)}.{found.name}"
    return [part for part in _SEPARATOR.split(spelled) if part and part not in ("*", "_")] or [""]


def _split(segments: list[str], *, whole: bool) -> tuple[list[str], list[str]]:
    """Package and path in it. With no type in sight, the last part is a function, unless the package is ``whole``."""
    types = (number for number, segment in enumerate(segments) if segment[:1].isupper())
    at = next(types, len(segments) if whole else len(segments) - 1)
    return segments[:at], segments[at:]
