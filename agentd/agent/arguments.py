"""Arguments as a model writes them, and what to tell it where they do not fit. Pure."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import Struct, json

from agentd.config.tool_names import OTHERWISE
from agentd.errors import ToolInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

A = TypeVar("A", bound=Struct)

MAX_BYTES = 64 * 1024
MAX_DEPTH = 32
"""Of lists and objects within each other; deeper ones could not be written into a trace."""
SHOWN = 60
"""Characters of what was found that a message repeats."""

_BYTE = re.compile(r" ?\(byte (\d+)\)\Z")
_PLACE = re.compile(r"\A(?P<problem>.*) - at `\$\.(?P<place>.*)`\Z", re.DOTALL)
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_UNKNOWN = re.compile(r"unknown field `(.*)`\Z", re.DOTALL)
_MISSING = re.compile(r"missing required field `(.*)`\Z", re.DOTALL)


def decode(arguments: str) -> dict[str, object]:
    """The object in ``arguments``, of which an empty text is an empty one.

    Raises:
        ToolInputError: it is too long, no JSON (the message says where), nested too deeply, or no object.
    """
    written = arguments.strip().encode(errors="replace")  # half a surrogate pair is no text, and no way to end a run
    if len(written) > MAX_BYTES:
        raise ToolInputError(f"expected arguments of at most {MAX_BYTES:,} bytes, found {len(written):,}")
    try:
        decoded = json.decode(written or b"{}")
    except msgspec.DecodeError as error:
        raise ToolInputError(f"the arguments are no JSON: {_where(str(error), written)}") from None
    except RecursionError:
        decoded = None
    if decoded is None or _deeper_than(MAX_DEPTH, decoded):
        raise ToolInputError(f"expected a JSON object of at most {MAX_DEPTH} levels, found {shown(decoded)}")
    if not isinstance(decoded, dict):
        raise ToolInputError(f"expected a JSON object, found {shown(decoded)}")
    return decoded


def fitted(given: Mapping[str, object], kind: type[A], schema: Mapping[str, Any]) -> A:
    """``given`` as ``kind``, whose JSON schema is ``schema``.

    A null stands for a parameter that was left out, a single text for a list of one, and text may hold a number.

    Raises:
        ToolInputError: it does not fit; the message names the parameter, what was expected and what was found.
    """
    given = {name: value for name, value in given.items() if value is not None}
    lists = [name for name, about in schema["properties"].items() if about.get("type") == "array"]
    given |= {name: [given[name]] for name in lists if isinstance(given.get(name), str)}
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _explained(str(error), given, schema["properties"]) from None


def tool_hint(name: str, known: Iterable[str]) -> str:
    """The known tool that is meant by ``name``, in words, and all of them."""
    return hint(name, known, OTHERWISE.get(name.lower()))


def hint(name: str, known: Iterable[str], meant: str | None = None) -> str:
    """The known name that is ``meant``, else those that look most like ``name``, in words, and all of them."""
    choices = list(known)
    near = (
        [meant] if meant in choices else get_close_matches(name[:64], choices, n=3, cutoff=0.5)
    )  # cut: the comparison is quadratic
    every = f"there are: {', '.join(choices)}" if choices else "there is none"
    return f"did you mean {' or '.join(near)}? {every[0].upper()}{every[1:]}" if near else every


def shown(value: object) -> str:
    """``value`` as JSON, bounded."""
    try:
        text = json.encode(value).decode()
    except (TypeError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _where(problem: str, written: bytes) -> str:
    """What is wrong with JSON, and the text around the place."""
    if not (placed := _BYTE.search(problem)):
        end = written[-SHOWN // 2 :].decode(errors="ignore")
        return f"{problem}; it ends with …{end}" if "truncated" in problem else problem
    before, after = (each.decode(errors="ignore") for each in (written[: int(placed[1])], written[int(placed[1]) :]))
    around = f"{before[-SHOWN // 2 :]} >>> {after[: SHOWN // 2]}"
    return f"{problem.removesuffix(placed[0])} at character {len(before) + 1}, here: {around}"


def _deeper_than(levels: int, value: object) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels == 0 or any(_deeper_than(levels - 1, each) for each in inner)


def _explained(problem: str, given: Mapping[str, object], properties: Mapping[str, Any]) -> ToolInputError:
    """What msgspec found, in words for a model."""
    if unknown := _UNKNOWN.search(problem):
        return ToolInputError(f"there is no parameter {shown(unknown[1])}; {hint(unknown[1], properties)}")
    if missing := _MISSING.search(problem):
        return ToolInputError(f"the parameter `{missing[1]}` is missing")
    if not (placed := _PLACE.match(problem)):
        return ToolInputError(problem)
    name = _STEP.findall(placed["place"])[0][0]
    about = properties.get(name, {})
    choices = about.get("enum") or about.get("items", {}).get("enum")
    expected = f"one of {', '.join(choices)}" if choices else placed["problem"].partition(", got ")[0]
    expected = expected.removeprefix("Expected ").replace("`", "")
    return ToolInputError(f"parameter `{name}`: expected {expected}, found {shown(_at(given, placed['place']))}")


def _at(given: object, place: str) -> object:
    """The value at ``place``, as in ``queries[1]``."""
    for name, index in _STEP.findall(place):
        given = given[name or int(index)]  # type: ignore[index]  # msgspec was there before
    return given
