"""JSON schemas of tools' parameters, as models are shown them in every turn: without references, and without what costs
tokens and helps no model, such as titles, nulls, and how long a text may be. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgspec import Struct

_REFERENCE = "#/$defs/"
_UNSAID = frozenset({"$ref", "$defs", "anyOf", "title", "minLength", "maxLength"})
_LARGEST = 2**31
"""A number that may be as large as this has no bound that a model could mean to reach."""


def schema_of(kind: type[Struct]) -> dict[str, object]:
    """The JSON schema of ``kind``, an object.

    Raises:
        ValueError: it holds itself, so that it has no schema without references; or a parameter lacks a description.
    """
    described = msgspec.json.schema(kind)
    plain: dict[str, Any] = _plain(described, described["$defs"], ())
    if unsaid := [name for name, about in plain["properties"].items() if "description" not in about]:
        raise ValueError(f"a model must be told what {', '.join(unsaid)} of {kind.__name__} is: Meta(description=...)")
    plain["properties"] = dict(sorted(plain["properties"].items(), key=lambda each: each[0] not in plain["required"]))
    return plain


def _plain(part: Mapping[str, Any], definitions: Mapping[str, Any], within: tuple[str, ...]) -> dict[str, Any]:
    """The schema ``part`` with what it refers to in its place; ``within`` are the definitions that it stands in. Their
    docstrings are for who reads the code.
    """
    merged = {key: value for key, value in part.items() if key not in _UNSAID}
    if "$ref" in part:
        name = part["$ref"].removeprefix(_REFERENCE)
        if name in within:
            raise ValueError(f"the parameters of a tool must not hold themselves, as {name} does")
        known = {key: value for key, value in definitions[name].items() if key != "description"}
        return _plain(known | merged, definitions, (*within, name))
    kinds = [each for each in part.get("anyOf", ()) if each != {"type": "null"}]
    if len(kinds) == 1:
        return _plain(kinds[0] | merged, definitions, within)
    if kinds:
        merged["anyOf"] = [_plain(each, definitions, within) for each in kinds]
    if merged.get("default", 0) in (None, [], (), ""):
        del merged["default"]  # what is left out says the same
    if "enum" in merged:
        merged.setdefault("type", "string")  # some servers want it said; there are no others
    if merged.get("maximum", 0) >= _LARGEST:
        del merged["maximum"]
    if "items" in merged:
        merged["items"] = _plain(merged["items"], definitions, within)
    if "properties" in merged:
        each = merged["properties"].items()
        merged["properties"] = {name: _plain(about, definitions, within) for name, about in each}
    return merged
