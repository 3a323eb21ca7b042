"""Go: https://go.dev/ref/spec#Import_declarations."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agentd.kernels.edges.imports.imported import Imported, Importer, unquoted
from agentd.kernels.edges.modules import suffix
from agentd.kernels.edges.words import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.kernels.captures import Import

STANDARD = words(
    """
    archive bufio bytes cmp compress container context crypto database debug embed encoding errors expvar flag fmt
    go hash html image index internal io iter log maps math mime net os path plugin reflect regexp runtime slices
    sort strconv strings structs sync syscall testing text time unicode unique unsafe weak
    """
)
_VERSION = re.compile(r"v\d+")


def go(found: Import, _importer: Importer) -> Imported:
    """The module's own path stands in go.mod alone, so a package is looked for by the last two folders of its path
    below the host, the owner and the repository.
    """
    steps = unquoted(found.module).split("/")
    whole = [step for step in steps if not _VERSION.fullmatch(step)] or steps
    name = {".": "*", "_": ""}.get(found.alias, found.alias or package_name(whole[-1]))
    return Imported(name, _key(whole))


def package_name(folder: str) -> str:
    """``go-yaml.v3`` usually holds the package ``yaml``."""
    return re.sub(r"\.v\d+$", "", folder).removeprefix("go-").rpartition("-")[2]


def _key(steps: Sequence[str]) -> str:
    if steps[0] in STANDARD or steps[0] == "C":
        return suffix(("std:", *steps))
    below = steps[3:] if "." in steps[0] else steps[1:]
    return suffix(below[-2:] or steps[-2:])
