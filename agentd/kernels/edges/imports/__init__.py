"""What an import brings into a file, by the rules of its language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.kernels.edges.imports.go import go
from agentd.kernels.edges.imports.imported import Imported, Importer
from agentd.kernels.edges.imports.javascript import javascript
from agentd.kernels.edges.imports.namespaces import csharp, jvm, php, swift
from agentd.kernels.edges.imports.paths import bash, c, lua, ruby
from agentd.kernels.edges.imports.python import python
from agentd.kernels.edges.imports.rust import rust

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentd.kernels.captures import Import

__all__ = ["Imported", "Importer", "bring"]

_LANGUAGES: dict[str, Callable[[Import, Importer], Imported | None]] = {
    "bash": bash,
    "c": c,
    "cpp": c,
    "csharp": csharp,
    "go": go,
    "java": jvm,
    "javascript": javascript,
    "kotlin": jvm,
    "lua": lua,
    "php": php,
    "python": python,
    "ruby": ruby,
    "rust": rust,
    "scala": jvm,
    "swift": swift,
    "tsx": javascript,
    "typescript": javascript,
}


def bring(found: Import, importer: Importer) -> Imported | None:
    """What ``found`` binds in the file of ``importer``; None for what is no import but looks like one."""
    language = _LANGUAGES.get(importer.language)
    return language(found, importer) if language is not None else None
