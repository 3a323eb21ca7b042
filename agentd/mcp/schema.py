"""JSON schemas of what tools take and give, made of the types that the code itself is checked against."""

from __future__ import annotations

from typing import Any

import msgspec

_DEFINITIONS = "#/$defs/"


def schema_of(kind: type) -> dict[str, Any]:
    """The schema of a struct or a typed dictionary. MCP wants ``type: object`` at its root, where msgspec refers."""
    described = msgspec.json.schema(kind)
    definitions: dict[str, Any] = described["$defs"]
    root: dict[str, Any] = definitions.pop(described["$ref"].removeprefix(_DEFINITIONS))
    for said in ("title", "description"):  # the name and the docstring, which are for who reads the code
        root.pop(said, None)
    return root | ({"$defs": definitions} if definitions else {})
