"""JavaScript and TypeScript: ECMAScript modules, ``require``, and the aliases that bundlers are told of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.kernels.edges.imports.imported import Imported, Importer, unquoted
from agentd.kernels.edges.modules import folder_of, relative, suffix
from agentd.kernels.edges.words import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.kernels.captures import Import

EXTENSIONS = (".d.ts", ".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")

NODE = words(
    """
    assert buffer child_process cluster console crypto dgram dns events fs http http2 https module net os path
    perf_hooks process punycode querystring readline repl stream string_decoder timers tls tty url util v8 vm
    worker_threads zlib
    """
)
"""Modules of Node itself: a file ``path.js`` of ours is not what ``require('path')`` brings."""

WORKSPACES = "packages/"
"""Where a repository of several packages keeps them: a bare name is a folder there, or not ours."""


def javascript(found: Import, importer: Importer) -> Imported:
    """A default import is bound to what has the same name in its module, as it nearly always does there."""
    module = _key(unquoted(found.module), importer.path)
    if found.name in ("default", "default as"):
        return Imported(found.alias or found.name, module, found.alias)
    if found.wildcard and not found.alias:
        return Imported("*", module)
    return Imported(found.alias or found.name, module, "" if found.wildcard else found.name)


def _key(spelled: str, path: str) -> str:
    steps = _without_file(spelled.split("/"))
    if spelled.startswith("."):
        return relative(folder_of(path), steps)
    if steps and steps[0] in ("@", "~", "#", ""):
        return suffix(steps[1:])
    if spelled.startswith("@"):
        steps = steps[1:]
    elif steps and (steps[0] in NODE or ":" in steps[0]):
        return f"node:{suffix(steps)}"
    return suffix(steps) + (WORKSPACES if len(steps) == 1 else "")


def _without_file(steps: Sequence[str]) -> list[str]:
    *folders, file = steps
    stem = next((file.removesuffix(extension) for extension in EXTENSIONS if file.endswith(extension)), file)
    return [*folders, stem] if stem != "index" or not folders else folders
