"""Calls of tools out of the text of a model that has no other way to make them. Pure.

The form asked for is that of Hermes and Qwen, ``<tool_call>{"name": …, "arguments": {…}}</tool_call>``, one or several
at the end of an answer. Models write it in their own ways: in fences, without the tags, with no end. What they go on to
write behind their calls, such as results that nobody gave them, is left out.
"""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING

from agentd.providers.contracts import ToolCall

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

OPEN = "<tool_call>"
CLOSE = "</tool_call>"
MOST_CALLS = 128
"""Of one answer; what follows is left out."""
MOST_UNSURE_CHARS = 16 * 1024
"""Of what begins as a call without tags would; longer ones are text."""

_FENCE = r"```(?:json|xml|tool_call)?"
_BEGIN = re.compile(rf"(?<![`\"']){OPEN}|(?<=\n)[ \t]{{0,8}}{_FENCE}[ \t]{{0,8}}\n")
_PERHAPS = re.compile(r"(?:<[a-z_]{0,9}|(?<=\n)[ \t]{0,8}(?:`{0,2}|```[a-z_]{0,9}[ \t]{0,8}))\Z")
"""The end of a piece that may turn out to begin what ``_BEGIN`` finds, and its greatest length:"""
_PERHAPS_CHARS = 32
_BLANK = re.compile(r"\s*")
_WITHIN = re.compile(rf"\s*(?:{_FENCE}\s+)?")
"""Between the tag and the call, and what may turn out to be that:"""
_PERHAPS_WITHIN = re.compile(r"(?:`{1,3}|```[a-z_]{1,9})\Z")
_FILLING = re.compile(rf"(?:[\s}}]|{CLOSE}|{_FENCE}(?=\s))*")
"""Between two calls: models lose count of braces."""
_AFTER = (OPEN, CLOSE, "```json", "```xml", "```tool_call")
_STOP = re.compile(rf"{CLOSE}|{OPEN}|<tool_response>")
_MARK = re.compile(r'[\[\]{}"]|\\.', re.DOTALL)
_NAME = re.compile(r'"name"\s*:\s*"([^"\\]{1,100})"')
_ARGUMENTS = re.compile(r'"(?:arguments|parameters)"\s*:\s*')
_NAMES = ("name", "tool", "tool_name", "function")
_INPUTS = ("arguments", "parameters", "args", "input")
"""How models call the members of a call, the right name first."""


class TextCalls:
    """Takes an answer in pieces, gives on what is text, and collects the calls; no cut of the pieces changes either.

    ``names`` are those of the tools: without its tags, a call is one only where it names a tool, and nothing was said
    before, since an answer may show JSON. Nothing counts that comes once it is ``done``.
    """

    def __init__(self, names: Collection[str]) -> None:
        self.calls: list[ToolCall] = []
        self.done = False
        self._names = names
        self._held = ""
        self._ended = False
        self._blank = True  # nothing was said
        self._last = "\n"  # of what was given on: fences stand at the beginning of a line
        self._opening = ""  # becomes text again where no call follows it
        self._sure = False  # a tag was there: what follows is a call, well made or not
        self._scan = _Scan()
        self._state: Callable[[], str | None] = self._open  # an answer may begin with a call without tags

    @property
    def holding(self) -> int:
        """Characters that wait for what follows them."""
        return len(self._held)

    def feed(self, piece: str) -> str:
        """The text that can be given on after ``piece``."""
        self._held += piece
        return "".join(self._steps())

    def end(self) -> str:
        """The rest of the text; a call without its end counts as it is."""
        self._ended = True
        return "".join(self._steps())

    def _steps(self) -> Iterator[str]:
        while not self.done and (said := self._state()) is not None:
            self._last = said[-1:] or self._last
            self._blank = self._blank and not said.strip()
            yield said
        if self.done:
            self._held = ""

    # A state takes from what is held and returns the text that it gives on, or None where it needs more than there is.

    def _text(self) -> str | None:
        whole = self._last + self._held  # for what looks behind
        if (begin := _BEGIN.search(whole, 1)) is not None:
            self._held = whole[begin.end() :]
            self._opening, self._sure = begin[0], "tool_call" in begin[0]
            self._state = self._open
            return whole[1 : begin.start()]
        perhaps = None if self._ended else _PERHAPS.search(whole, max(1, len(whole) - _PERHAPS_CHARS))
        ready = whole[1 : perhaps.start() if perhaps else None]
        self._held = self._held[len(ready) :]
        return ready or None

    def _open(self) -> str | None:
        """Where a call may begin, up to the character that says whether it does."""
        body = self._held[_end_of(_WITHIN if self._sure else _BLANK, self._held) :]
        if body.startswith(OPEN):
            self._held, self._opening, self._sure = body[len(OPEN) :], "", True
        elif body.startswith(("{", "[")) and (self._sure or self._blank or self.calls):
            self._scan, self._state = _Scan(), self._json
            self._held = body if self._sure else self._held
        elif not self._ended and (OPEN.startswith(body) or (self._sure and _PERHAPS_WITHIN.match(body))):
            return None
        elif self._sure:
            self._state = self._broken
        else:
            return self._as_text(0)
        return ""

    def _json(self) -> str | None:
        """In an object, or a list of them, up to the bracket that ends it."""
        end = self._scan.end(self._held)
        if not self._sure and (end or len(self._held)) > MOST_UNSURE_CHARS:
            return self._as_text(MOST_UNSURE_CHARS)
        if end is None and not self._ended:
            return None
        source = self._held[:end]
        found = read_calls(source)
        if self._sure and end is None:
            self._state = self._broken
            return ""
        if self._sure or (_ARGUMENTS.search(source) and found and all(each.name in self._names for each in found)):
            return self._take(found or [broken_call(source)], len(source))
        return self._as_text(len(source))

    def _broken(self) -> str | None:
        """In what is no JSON, up to the next tag."""
        stop = _STOP.search(self._held)
        if stop is None and not self._ended:
            return None
        end = stop.start() if stop else len(self._held)
        source = self._held[:end].strip("` \n")
        return self._take(read_calls(source) or [broken_call(source)], end)

    def _after(self) -> str | None:
        """Behind a call: another one, or the end."""
        rest = self._held[_end_of(_FILLING, self._held) :]
        if rest.startswith((OPEN, "{", "[")):
            self._held, self._state = rest, self._open
            return ""
        if not self._ended and any(each.startswith(rest) for each in _AFTER):
            self._held = self._held if rest else ""
            return None
        self.done = True
        return ""

    def _take(self, calls: list[ToolCall], end: int) -> str:
        self.calls += calls[: MOST_CALLS - len(self.calls)]
        self.done = len(self.calls) == MOST_CALLS
        self._held, self._opening, self._sure = self._held[end:], "", False
        self._state = self._after
        return ""

    def _as_text(self, end: int) -> str:
        """No call begins here; behind others that is the end of all."""
        self.done = bool(self.calls)
        said = "" if self.done else self._opening + self._held[:end]
        self._held, self._opening = self._held[end:], ""
        self._state = self._text
        return said


class _Scan:
    """Finds the bracket that closes the first one, in a text that grows."""

    def __init__(self) -> None:
        self._at = 0
        self._depth = 0
        self._in_string = False

    def end(self, text: str) -> int | None:
        """The place behind the bracket; None as long as it has not come."""
        for mark in _MARK.finditer(text, self._at):
            self._at = mark.end()
            if mark[0] == '"':
                self._in_string = not self._in_string
            elif not self._in_string and len(mark[0]) == 1:
                self._depth += 1 if mark[0] in "{[" else -1
                if not self._depth:
                    return mark.end()
        self._at = max(self._at, len(text) - text.endswith("\\"))  # what it escapes is still to come
        return None


def read_calls(source: str) -> list[ToolCall]:
    """The calls in ``source``, an object in JSON or a list of them; none where any of it is no call."""
    try:
        value = json.loads(source, strict=False)  # models write line ends into strings as they are
    except (ValueError, RecursionError):
        return []
    found = [_read_call(each) for each in (value if isinstance(value, list) else [value])]
    calls = [each for each in found if each is not None]
    return calls if len(calls) == len(found) else []


def _read_call(value: object) -> ToolCall | None:
    if isinstance(value, dict) and isinstance(inner := value.get("function"), dict):
        value = inner  # as OpenAI has it
    if not isinstance(value, dict):
        return None
    name = next((value[key] for key in _NAMES if isinstance(value.get(key), str)), None)
    arguments: object = next((value[key] for key in _INPUTS if value.get(key) is not None), {})
    return ToolCall(_identity(), name, _json_of(arguments)) if name else None


def _json_of(arguments: object) -> str:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return text.encode(errors="replace").decode()  # halves of UTF-16 pairs can be written in JSON, and nowhere else


def broken_call(source: str) -> ToolCall:
    """What was meant to be a call: its name, where it can be found, and the rest for whoever refuses it."""
    name, arguments = _NAME.search(source), _ARGUMENTS.search(source)
    return ToolCall(_identity(), name[1] if name else "", source[arguments.end() :] if arguments else source)


def _identity() -> str:
    """New for each call of a conversation, unlike a number in one answer."""
    return f"call_{secrets.token_hex(4)}"


def _end_of(pattern: re.Pattern[str], text: str) -> int:
    """Of a match at the beginning, which may be empty."""
    found = pattern.match(text)
    return found.end() if found else 0
