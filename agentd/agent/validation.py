"""Arguments against a JSON schema (draft 2020-12) of the user's own, and what to tell a model where they do not fit.

Whoever imports this loads jsonschema, which takes a tenth of a second: only those do who have such tools.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from agentd.agent.arguments import hint, shown
from agentd.errors import ToolInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsonschema import ValidationError


class Validator:
    """Of one tool. ``schema`` is that of an object, and known to be a schema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._names: list[str] = list(schema["properties"])
        self._validator = Draft202012Validator(schema)

    def check(self, given: Mapping[str, object]) -> None:
        """Raise ToolInputError where ``given`` does not fit: where, what was expected, what was found."""
        error = best_match(self._validator.iter_errors(given))
        if error is not None:
            raise ToolInputError(self._explained(error))

    def _explained(self, error: ValidationError) -> str:
        wanted: Any = error.validator_value
        found: Any = error.instance
        if error.validator == "additionalProperties" and not error.absolute_path:
            unknown = next(name for name in found if name not in self._names)
            return f"there is no parameter {shown(unknown)}; {hint(unknown, self._names)}"
        if error.validator == "required":
            return f"the parameter `{_path(error, next(name for name in wanted if name not in found))}` is missing"
        return f"parameter `{_path(error)}`: expected {_in_words(str(error.validator), wanted)}, found {shown(found)}"


def _in_words(keyword: str, wanted: Any) -> str:
    """What a schema wants, by one of its keywords."""
    match keyword:
        case "type":
            return " or ".join(wanted) if isinstance(wanted, list) else str(wanted)
        case "enum":
            return f"one of {', '.join(map(shown, wanted))}"
        case "pattern":
            return f"text that matches {wanted}"
        case "const":
            return shown(wanted)
        case _:
            return f"{keyword} {shown(wanted)}"


def _path(error: ValidationError, *more: str) -> str:
    """As in ``queries[1].name``."""
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in (*error.absolute_path, *more)]
    return "".join(steps).removeprefix(".")
