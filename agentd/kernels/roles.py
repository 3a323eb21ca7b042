"""What part a file plays, by its path alone: what serves other files should not outrank them.

The rules name habits of many ecosystems; a project that puts its product into a folder called ``examples`` loses a
little in the order of its hits, never the hits themselves.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

from agentd.kernels.low_value import GENERATED_NAMES, MINIFIED_NAMES, is_lock_file


class Role(StrEnum):
    """The part of a file; ``SOURCE`` is everything without another."""

    SOURCE = "source"
    TEST = "test"
    VENDORED = "vendored"
    GENERATED = "generated"
    CHANGELOG = "changelog"
    EXAMPLE = "example"
    STUB = "stub"


_FOLDERS = {
    Role.VENDORED: r"vendor|vendored|_vendor|third[_-]?party|node_modules|bower_components|externals?|extern"
    r"|site-packages",
    Role.GENERATED: r"generated|__generated__|gen|dist|build|_build|_static",
    Role.TEST: r"tests?|testing|testdata|test_data|specs?|__tests__|__mocks__|e2e|unittests?|fixtures|mocks|testsuite",
    Role.CHANGELOG: r"changelogs?|changes|changelog\.d|newsfragments|release[_-]?notes|releases|whatsnew|announce",
    Role.EXAMPLE: r"examples?|demos?|samples?|tutorials?|playground|benchmarks?|example_scripts|cookbook",
    Role.STUB: r"stubs|typings|typeshed|[\w.-]+-stubs",
}
_FOLDER = {role: re.compile(rf"(?:^|/)(?:{names})/", re.IGNORECASE) for role, names in _FOLDERS.items()}

_NAME = {
    Role.TEST: re.compile(
        r"^(?:test_.*|tests?\.\w+|conftest\.py|.*_(?:test|tests|spec)\.\w+|.*\.(?:test|spec)\.\w+|.*[a-z0-9](?:Tests?|IT|Spec)"
        r"\.(?:java|kt|cs|scala|swift|php))$"
    ),
    Role.CHANGELOG: re.compile(
        r"^(?:changelog|changes|history|news|whatsnew|release[_-]?notes?|releases|upgrading|credits)(?:[-_.].*)?$",
        re.IGNORECASE,
    ),
    Role.STUB: re.compile(r"\.pyi$|\.d\.[cm]?ts$"),
}

_ORDER = (Role.VENDORED, Role.GENERATED, Role.CHANGELOG, Role.TEST, Role.EXAMPLE, Role.STUB)


@lru_cache(maxsize=4096)
def role_of(path: str) -> Role:
    """The role of the file at ``path`` (relative to its root, with ``/``); the first that fits of a fixed order."""
    name = path.rpartition("/")[2]
    lower = name.lower()
    if lower.endswith(GENERATED_NAMES + MINIFIED_NAMES) or is_lock_file(lower):
        return Role.GENERATED
    return next((role for role in _ORDER if _fits(role, path, name)), Role.SOURCE)


def _fits(role: Role, path: str, name: str) -> bool:
    by_name = _NAME.get(role)
    return _FOLDER[role].search(path) is not None or (by_name is not None and by_name.search(name) is not None)
