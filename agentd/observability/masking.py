"""Keeps the values of credentials out of the logs, wherever in a line they would stand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from structlog.typing import WrappedLogger

MASK = "[secret]"
SHORTEST = 4
"""A shorter value, or line of one, would be found within ordinary words and make the log unreadable."""

_secrets: list[str] = []  # changed in place, because loggers in use hold the processor, and it looks here


def set_secrets(values: Iterable[str]) -> None:
    """From now on no line shows one of ``values``, nor a line of one that has several."""
    found = {part.strip() for value in values for part in (value, *value.splitlines())}
    # The longest first, so that a secret within another one does not leave half of that behind.
    ordered = sorted((part for part in found if len(part) >= SHORTEST), key=len, reverse=True)
    _secrets[:] = dict.fromkeys(spelling for part in ordered for spelling in _spellings(part))


def _spellings(value: str) -> tuple[str, ...]:
    """As it is and as a Python error shows it, each also as JSON writes it."""
    plain = (value, repr(value)[1:-1])
    in_json = (json.dumps(text, ensure_ascii=ascii_alone)[1:-1] for text in plain for ascii_alone in (True, False))
    return (*plain, *in_json)


def mask_secrets(_logger: WrappedLogger, _method: str, line: str) -> str:
    """The last processor: it sees the finished line, so that no field, message or traceback gets past it."""
    for secret in _secrets:
        if secret in line:
            line = line.replace(secret, MASK)
    return line
