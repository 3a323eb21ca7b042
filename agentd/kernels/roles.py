"""What part a file plays, by its path alone: what serves other files should not outrank them.

The rules name habits of many ecosystems; a project that puts its product into a folder called ``examples`` loses a
little in the order of its hits, never the hits themselves.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

from agentd.domain import Kind
from agentd.kernels.classify import telling_extension
from agentd.kernels.languages import EXTENSIONS, KINDS
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
    # No plain ``build``: what tools put there is ignored as a rule, what is indexed is code that builds.
    Role.GENERATED: r"generated|__generated__|(?<!cmd/)(?<!tools/)(?<!scripts/)gen|dist|_build|_static"
    r"|build/(?:lib|libs|classes|generated|html|dist|static|bdist[\w.-]*|temp[\w.-]*|lib\.[\w.-]+)",
    # No ``testing`` and no ``unittest``: these are libraries for those who write tests, and documents about it.
    Role.TEST: r"tests?|testdata|test_data|specs?|__tests__|__mocks__|e2e|unittests|fixtures|mocks|testsuite|cypress"
    r"|\w+\.(?:Unit|Integration)?Tests?|\w+_tests|(?:common|jvm|js|native|android|integration)Test",
    Role.CHANGELOG: r"changelogs?|changes|changelog\.d|newsfragments|release[_-]?notes|releases|whatsnew|announce",
    Role.EXAMPLE: r"examples?|demos?|samples?|tutorials?|playground|benchmarks?|benches|example_scripts|cookbook",
    Role.STUB: r"stubs|typings|typeshed|[\w.-]+-stubs",
}
_FOLDER = {role: re.compile(rf"(?:^|/)(?:{names})/", re.IGNORECASE) for role, names in _FOLDERS.items()}

_NAME = {
    # No plain ``test.py``: in a package it is the command or the helper of that name as often as a test.
    Role.TEST: re.compile(
        r"^(?:test_.*|tests\.\w+|test\.(?!py$)\w+|conftest\.py|.*_(?:test|tests|unittest)\.\w+|.*\.(?:test|spec|cy)\.\w+"
        r"|.*_spec\.(?:rb|lua|cr|exs?|[jt]sx?)|.*\.t"
        r"|.*[a-z0-9]Tests?\.(?:java|kt|groovy|cs|scala|swift|php|cpp|cc|mm?|dart)|.*[a-z0-9]IT\.(?:java|kt|groovy)"
        r"|.*[a-z0-9]Spec\.(?:scala|groovy|swift))$"
    ),
    Role.GENERATED: re.compile(r"^zz_generated\.|_generated\.\w+$|\.(?:gen|generated)\.\w+$"),
    Role.CHANGELOG: re.compile(
        r"^(?:change[-_]?log(?:[-_.].*)?|(?:changes|history|news|whatsnew|release[-_]?notes?|releases|upgrading|credits)"
        r"(?:[-_.]?v?\d[\w.-]*)?(?:\.\w+)?)$",
        re.IGNORECASE,
    ),
    Role.STUB: re.compile(r"\.pyi$|\.d\.[cm]?ts$"),
}

_DOCUMENTATION = re.compile(r"(?:^|/)(?:docs?|documentation)/", re.IGNORECASE)
_ABOUT = {Role.TEST, Role.EXAMPLE}
"""Roles of code. Documents in a folder of documentation are about them at most: ``docs/tutorial/tests.rst``."""

_ORDER = (Role.VENDORED, Role.GENERATED, Role.CHANGELOG, Role.TEST, Role.EXAMPLE, Role.STUB)


@lru_cache(maxsize=4096)
def role_of(path: str) -> Role:
    """The role of the file at ``path`` (relative to its root, with ``/``); the first that fits of a fixed order."""
    name = path.rpartition("/")[2]
    lower = name.lower()
    if lower.endswith(GENERATED_NAMES + MINIFIED_NAMES) or is_lock_file(lower):
        return Role.GENERATED
    kind = _kind_of(lower)
    roles = set(_ORDER)
    if kind is Kind.CODE:
        roles.remove(Role.CHANGELOG)  # ``history.py`` and ``api/releases/views.py`` are code that is called so
    elif kind is Kind.DOCS and _DOCUMENTATION.search(path):
        roles -= _ABOUT
    return next((role for role in _ORDER if role in roles and _fits(role, path, name)), Role.SOURCE)


def _kind_of(name: str) -> Kind | None:
    """By extension alone; None for one that nobody knows."""
    language = EXTENSIONS.get(telling_extension(name))
    return Kind(KINDS.get(language, Kind.CODE)) if language else None


def _fits(role: Role, path: str, name: str) -> bool:
    by_name = _NAME.get(role)
    return _FOLDER[role].search(path) is not None or (by_name is not None and by_name.search(name) is not None)
