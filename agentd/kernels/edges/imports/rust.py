"""Rust: https://doc.rust-lang.org/reference/paths.html and /items/modules.html."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.kernels.edges.imports.imported import Imported, Importer
from agentd.kernels.edges.modules import exact, folder_of, module_key, normalised, suffix

if TYPE_CHECKING:
    from agentd.kernels.captures import Import

ANCHORS = ("crate", "self", "super")


def rust(found: Import, importer: Importer) -> Imported | None:
    """A module without a path is one that the file declares (``mod x;``); what it takes from itself is no import."""
    parts = [part for part in found.module.replace(" ", "").split("::") if part]
    taken = [part for part in found.name.replace(" ", "").split("::") if part not in ("", "self")]
    if len(parts) == 1 and not taken and not found.wildcard and parts[0] not in ANCHORS:
        return Imported(found.alias or parts[0], f"{parts[0]}/{module_key(importer.path, 'rust')}")
    whole = [*parts, *taken]
    if not whole:
        return None
    module, path = locate(whole, importer, everything=found.wildcard)
    if found.wildcard:
        return Imported("*", module, ".".join(path)) if module != module_key(importer.path, "rust") else None
    return Imported(found.alias or whole[-1], module, ".".join(path))


def locate(parts: list[str], importer: Importer, *, everything: bool = False) -> tuple[str, list[str]]:
    """Key and path of what ``parts`` name: modules are lower case, and the last part may be one or a member."""
    key, rest = _anchor(parts, importer)
    types = (number for number, part in enumerate(rest) if part[:1].isupper())
    at = next(types, len(rest) if everything else max(len(rest) - 1, 0))
    return suffix(rest[:at]) + key, rest[at:]


def _anchor(parts: list[str], importer: Importer) -> tuple[str, list[str]]:
    """The key that the path begins at, and what of the path is left."""
    own, first = module_key(importer.path, "rust"), parts[0]
    if first == "crate":
        return exact(normalised(_crate(importer.path), "rust")), parts[1:]
    if first in importer.declared:
        return own, parts
    if first not in ANCHORS:
        return f"src/{first}/", parts[1:]
    inline, rest = importer.inline, parts[1:] if first == "self" else parts
    while rest and rest[0] == "super":
        rest = rest[1:]
        if inline:
            inline -= 1
        else:
            own = own.partition("/")[2] or "/"
    return own, rest


def _crate(path: str) -> list[str]:
    """The folder of the crate's root: the innermost ``src``, or where a test or an example lies."""
    folder = folder_of(path)
    if "src" not in folder:
        return folder
    return folder[: len(folder) - folder[::-1].index("src")]
