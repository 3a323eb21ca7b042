"""JSON schemas of tools' parameters, as models are shown them: without references, titles and nulls. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgspec import Struct

_REFERENCE = "#/$defs/"


def schema_of(kind: type[Struct]) -> dict[str, object]:
    """The JSON schema of ``kind``, an object.

    Raises:
        ValueError: it holds itself, so that it has no schema without references; or a parameter lacks a description.
    """
    described = msgspec.json.schema(kind)
    plain: dict[str, Any] = _plain(described, described["$defs"], ())
    plain.pop("description", None)  # the struct's docstring, which is for who reads the code
    if unsaid := [name for name, about in plain["properties"].items() if "description" not in about]:
        raise ValueError(f"a model must be told what {', '.join(unsaid)} of {kind.__name__} is: Meta(description=...)")
    return plain


def _plain(part: Mapping[str, Any], definitions: Mapping[str, Any], within: tuple[str, ...]) -> dict[str, Any]:
    """The schema ``part`` with what it refers to in its place; ``within`` are the definitions that it stands in."""
    merged = {key: value for key, value in part.items() if key not in {"$ref", "$defs", "anyOf"}}
    if "$ref" in part:
        name = part["$ref"].removeprefix(_REFERENCE)
        if name in within:
            raise ValueError(f"the parameters of a tool must not hold themselves, as {name} does")
        merged = {key: value for key, value in definitions[name].items() if key != "title"} | merged
        within = (*within, name)
    kinds = [each for each in part.get("anyOf", ()) if each != {"type": "null"}]
    if len(kinds) == 1:
        return _plain(kinds[0] | merged, definitions, within)
    if kinds:
        merged["anyOf"] = [_plain(each, definitions, within) for each in kinds]
    if merged.get("default", 0) in (None, [], ()):
        del merged["default"]  # what is left out says the same in fewer tokens
    if "items" in merged:
        merged["items"] = _plain(merged["items"], definitions, within)
    if "properties" in merged:
        each = merged["properties"].items()
        merged["properties"] = {name: _plain(about, definitions, within) for name, about in each}
    return merged
