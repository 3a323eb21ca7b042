"""What can be set: every key of the configuration file with its type, default and bounds, read off the settings."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct, inspect

from agentd.config.settings import ProviderSettings, RootSettings, Section, Settings, ToolSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

ENVIRONMENT_PREFIX = "AGENTD_"


class Field(Struct, frozen=True):
    """One setting. ``key`` is ``section.name``, as in the file."""

    section: str
    name: str
    type: Any
    default: Any

    @property
    def key(self) -> str:
        """Its full name, for messages and origins."""
        return f"{self.section}.{self.name}"

    @property
    def scalar(self) -> bool:
        """Whether one environment variable can hold it."""
        return not isinstance(inspect.type_info(self.type), inspect.VarTupleType)

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return f"{ENVIRONMENT_PREFIX}{self.section}_{self.name}".upper()

    @property
    def expected(self) -> str:
        """Its type and bounds, in words."""
        return _in_words(inspect.type_info(self.type))


def _in_words(info: inspect.Type) -> str:
    match info:
        case inspect.IntType():
            words = f"a whole number {_bounds(info)}"
        case inspect.FloatType():
            words = f"a number {_bounds(info)}"
        case inspect.LiteralType():
            words = f"one of {_choices(info)}"
        case inspect.BoolType():
            words = "true or false"
        case inspect.VarTupleType(item_type=inspect.LiteralType() as item):
            words = f"a list of {_choices(item)}"
        case inspect.VarTupleType():
            words = "a list of strings"
        case inspect.StrType(pattern=str() as pattern, min_length=None):
            words = f"a name of lower-case letters, digits{', - and _' if '-]' in pattern else ' and _'}"
        case inspect.DictType():
            words = "a table of JSON schemas"
        case inspect.UnionType():
            words = _in_words(next(kind for kind in info.types if not isinstance(kind, inspect.NoneType)))
        case _:
            words = "a string"
    return words


def _choices(info: inspect.LiteralType) -> str:
    return ", ".join(f'"{value}"' for value in info.values)


def _bounds(info: inspect.IntType | inspect.FloatType) -> str:
    low = f"above {info.gt:g}" if info.gt is not None else f"from {info.ge}"
    return low + (f" to {info.le}" if info.le is not None else " up")


def _fields_of(section: str, table: type[Section]) -> list[Field]:
    return [Field(section, field.name, field.type, default_of(field)) for field in msgspec.structs.fields(table)]


def default_of(field: msgspec.structs.FieldInfo) -> Any:
    """The default of a field; ``NODEFAULT`` where it must be set."""
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


SECTIONS: dict[str, type[Section]] = {
    field.name: field.type
    for field in msgspec.structs.fields(Settings)
    if isinstance(field.type, type) and issubclass(field.type, Section)
}
"""Tables of the file and the objects that hold them. Those of ``ENTRIES`` stand apart: they are lists."""

FIELDS = {field.key: field for section, table in SECTIONS.items() for field in _fields_of(section, table)}

ENTRIES = {
    name: {field.name: field for field in _fields_of(name, table)}
    for name, table in (("root", RootSettings), ("provider", ProviderSettings), ("tool", ToolSettings))
}
"""``[[root]]``, ``[[provider]]`` and ``[[tool]]``, of which the file may hold several: their fields by name."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint in words: the known name that looks most like ``name``, else all of them where they are few."""
    choices = list(known)
    if close := difflib.get_close_matches(name, choices, n=1, cutoff=0.6):
        return f"did you mean {close[0]}?"
    return f"known here: {', '.join(choices)}" if len(choices) <= 12 else "docs/configuration.md lists what is known"
