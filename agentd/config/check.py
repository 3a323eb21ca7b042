"""What is no error in the configuration, and still unlikely to be meant."""

from __future__ import annotations

import os
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING

from agentd.config.commands import executable

if TYPE_CHECKING:
    from agentd.config.load import Loaded
    from agentd.config.settings import Settings, ToolSettings


def warnings(loaded: Loaded) -> list[str]:
    """One sentence a finding. Looks at the disk, so the next look may find something else."""
    settings = loaded.settings
    roots = (*settings.flag_roots, *settings.roots)
    found = [f"root {root}: {problem} ({loaded.origins[f'root {root}']})" for root in roots if (problem := _root(root))]
    found += [
        f"root {inner} lies inside the root {outer}; only the outer one is indexed"
        for inner, outer in permutations(roots, 2)
        if inner.is_relative_to(outer) and inner != outer
    ]
    models = {"embedding.model": settings.embedding.model if settings.embedding.enabled else ""}
    models["rerank.model"] = settings.rerank.model
    if (weights := settings.search.weights) and not Path(weights).is_file():
        found.append(f"search.weights {weights} is no file ({loaded.origins['search.weights']})")
    found += [f"tool {tool.name}: {problem}" for tool in settings.tools if (problem := _tool(tool))]
    found += [f"metrics.textfile {problem} ({loaded.origins['metrics.textfile']})" for problem in _textfile(settings)]
    return found + [
        f"{key} {model} is no folder ({loaded.origins[key]})"
        for key, model in models.items()
        if model and not Path(model).is_dir()
    ]


def _textfile(settings: Settings) -> list[str]:
    path = settings.metrics.textfile
    if not path:
        return []
    found = [] if path.endswith(".prom") else [f"{path} does not end in .prom: node_exporter passes it over"]
    folder = Path(path).parent
    if not folder.is_dir():
        found.append(f"{path} cannot be written: {folder} is no folder")
    elif not os.access(folder, os.W_OK | os.X_OK):
        found.append(f"{path} cannot be written: this user may not write to {folder}")
    return found


def _tool(tool: ToolSettings) -> str | None:
    if executable(tool.command[0]) is None:
        return f"there is no program {tool.command[0]} that this user could run"
    if tool.directory and not Path(tool.directory).is_dir():
        return f"its directory {tool.directory} is no folder"
    return None


def _root(root: Path) -> str | None:
    if root == Path(root.anchor):
        return "the whole file system cannot be a root"
    if not os.path.lexists(root):
        return "there is no such folder; it is indexed once it appears"
    if not root.is_dir():
        return "expected a folder, found something else"
    if not os.access(root, os.R_OK | os.X_OK):
        return "the folder may not be read by this user"
    return None
