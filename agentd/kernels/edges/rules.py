"""How the languages differ in where a name is looked for."""

from __future__ import annotations

from typing import NamedTuple

from agentd.kernels.edges.builtin_names import (
    BASH,
    GO,
    JAVASCRIPT,
    LUA,
    PHP,
    PYTHON,
    PYTHON_METHODS,
    RUBY,
    SWIFT,
)


class Rules(NamedTuple):
    """What a use of a name means in a language.

    ``selves`` and ``parents`` are receivers that stand for the class around a use and for its bases; ``members`` says
    that bare names are members of that class, too; ``package`` that the files of a folder share their names, and
    ``certain`` that nothing else can be meant. ``constructors`` are the methods whose parameters name the types of
    fields. A bare name among ``builtins``, and a method among ``methods`` on something unknown, leads nowhere.
    """

    selves: frozenset[str] = frozenset(("this",))
    parents: frozenset[str] = frozenset(("super",))
    members: bool = False
    package: bool = False
    certain: bool = False
    constructors: tuple[str, ...] = ("constructor",)
    builtins: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()


_JAVASCRIPT = Rules(builtins=JAVASCRIPT)
_JVM = Rules(members=True, package=True)
_C = Rules(members=True)

_RULES = {
    "bash": Rules(selves=frozenset(), parents=frozenset(), builtins=BASH),
    "c": _C,
    "cpp": _C,
    "csharp": _JVM._replace(parents=frozenset(("base",))),
    "go": Rules(selves=frozenset(), parents=frozenset(), package=True, certain=True, builtins=GO),
    "java": _JVM,
    "javascript": _JAVASCRIPT,
    "kotlin": _JVM,
    "lua": Rules(selves=frozenset(("self",)), builtins=LUA),
    "php": Rules(
        selves=frozenset(("this", "self", "static")),
        parents=frozenset(("parent",)),
        package=True,
        constructors=("__construct",),
        builtins=PHP,
    ),
    "python": Rules(
        selves=frozenset(("self", "cls")),
        parents=frozenset(("super()",)),
        constructors=("__init__",),
        builtins=PYTHON,
        methods=PYTHON_METHODS,
    ),
    "ruby": Rules(selves=frozenset(("self",)), members=True, constructors=("initialize",), builtins=RUBY),
    "rust": Rules(selves=frozenset(("self", "Self")), parents=frozenset()),
    "scala": _JVM,
    "swift": _JVM._replace(selves=frozenset(("self", "Self")), package=False, constructors=("init",), builtins=SWIFT),
    "tsx": _JAVASCRIPT,
    "typescript": _JAVASCRIPT,
}
_CLAIMLESS = Rules(selves=frozenset(), parents=frozenset())


def rules_of(language: str) -> Rules:
    """The rules of ``language``; of one that has none here, those that claim least."""
    return _RULES.get(language, _CLAIMLESS)
