"""Python: https://docs.python.org/3/reference/simple_stmts.html#the-import-statement."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from agentd.kernels.edges.imports.imported import Imported, Importer
from agentd.kernels.edges.modules import folder_of, relative, suffix

if TYPE_CHECKING:
    from agentd.kernels.captures import Import


def python(found: Import, importer: Importer) -> Imported | None:
    """``import a.b`` binds ``a``, but is kept under ``a.b``, which is how its members are called."""
    spelled = "".join(found.module.split())
    if spelled == "__future__":
        return None
    module = _key(spelled, importer.path)
    if found.wildcard:
        return Imported("*", module)
    return Imported(found.alias or found.name or spelled, module, found.name)


@lru_cache(maxsize=256)
def _key(spelled: str, path: str) -> str:
    name = spelled.lstrip(".")
    dots = len(spelled) - len(name)
    steps = name.split(".") if name else []
    if not dots:
        return suffix(steps)
    return relative(folder_of(path), [*[".."] * (dots - 1), *steps])
