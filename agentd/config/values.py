"""Values of a file, a variable or a flag: to the type of their setting, or to a sentence that says what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from agentd.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from agentd.config.schema import Field


def convert(field: Field, value: Any, place: str, *, text: bool = False) -> Any:
    """``value`` as the type of ``field``; with ``text`` it is a string that stands for one.

    Raises:
        ConfigError: it is of another type or out of bounds; says what was expected and found at ``place``.
    """
    try:
        return msgspec.convert(value, field.type, strict=not text)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{place}: expected {field.expected} for {field.key}, found {shown(value)}") from error


def shown(value: object) -> str:
    """A value much as it looks in the file, cut where long."""
    if value is None:
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def place(path: Path, line: int | None) -> str:
    """``PATH:LINE``, or the path alone."""
    return f"{path}:{line}" if line else str(path)
