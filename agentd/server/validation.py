"""Parameters off the wire into their Struct, with messages for people."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import json

from agentd.errors import InvalidParamsError, MethodNotFoundError, ParseError
from agentd.server.wire import shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

    from msgspec import Raw

    from agentd.server.params import Params

P = TypeVar("P", bound="Params")

_UNKNOWN = re.compile(r"unknown field `(.*)`\Z", re.DOTALL)
_MISSING = re.compile(r"missing required field `(.*)`\Z")
_PLACE = re.compile(r"\A(?P<problem>.*) - at `\$\.(?P<place>.*)`\Z", re.DOTALL)
_PATTERN = re.compile(r"`str` matching regex .*", re.DOTALL)  # absolute paths are the only strings with a pattern


def decode_params(method: str, raw: Raw, params: type[P]) -> P:
    """Decode; raises InvalidParamsError with ``field`` in its details, or ParseError for broken escapes."""
    try:
        return json.decode(raw, type=params)
    except msgspec.ValidationError as error:
        raise _explain(method, str(error), params) from None
    except msgspec.DecodeError as error:
        raise ParseError(f"expected JSON: {error}") from None


def unknown_method(name: str, known: Iterable[str]) -> MethodNotFoundError:
    """The error for a method that does not exist; it names the nearest one."""
    return MethodNotFoundError(f"no method `{name}`{_nearest(name, known)} `hello` lists them all.")


def _explain(method: str, problem: str, params: type[Params]) -> InvalidParamsError:
    if unknown := _UNKNOWN.search(problem):
        name = shorten(unknown[1])
        fields = params.__struct_encode_fields__
        message = f"{method} takes no `{name}`{_nearest(name, fields)} It takes: {', '.join(fields)}."
        return InvalidParamsError(message, field=name)
    if missing := _MISSING.search(problem):
        return InvalidParamsError(f"{method} needs `{missing[1]}`", field=missing[1])
    if placed := _PLACE.match(problem):
        expectation = _PATTERN.sub("an absolute path without NUL", placed["problem"])
        return InvalidParamsError(shorten(f"{method}, `{placed['place']}`: {expectation}"), field=placed["place"])
    return InvalidParamsError(shorten(f"{method}: {problem}"), field=None)


def _nearest(name: str, known: Iterable[str]) -> str:
    matches = get_close_matches(name[:64], list(known), n=1)  # cut: the comparison is quadratic
    return f"; did you mean `{matches[0]}`?" if matches else "."
