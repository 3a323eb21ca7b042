"""What a server said about a failure, fit to be shown: short, without the key, and without the text that was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from agentd.providers.gate import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_CHARS = 200
ECHO_CHARS = 16
"""What repeats so many characters of what was sent, in a row, repeats the text and no word of it by chance."""
SHORT_ECHO_CHARS = 6
HIDDEN = "its message repeats what was sent"


def said(body: bytes, key: str, sent: Sequence[str]) -> str:
    """The message in ``body``, the answer to a request that carried ``key`` and ``sent``; empty where there is none."""
    return cleaned(_message(body), key, sent)


def cleaned(message: str, key: str, sent: Sequence[str]) -> str:
    """At most MAX_CHARS of ``message``, in one line."""
    if key:
        message = message.replace(key, "[key]")
    line = " ".join("".join(char if char.isprintable() else " " for char in message[: 8 * MAX_CHARS]).split())
    line = redact([line]).texts[0]
    line = line if len(line) <= MAX_CHARS else line[: MAX_CHARS - 1] + "…"
    return HIDDEN if _repeats(line, sent) else line


def _message(body: bytes) -> str:
    """In the shapes in use: ``{"error": {"message": …}}``, ``{"error": …}``, ``{"message": …}``, ``{"detail": …}``."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = body[: 8 * MAX_CHARS].decode(errors="replace")
        return "" if text.lstrip().startswith("<") else text
    return message_of(answer)


def message_of(answer: object) -> str:
    """The message of a decoded answer; empty where there is none."""
    for key in ("error", "message", "detail"):
        if isinstance(answer, dict) and answer.get(key):
            found = answer[key]
            code = found.get("code") if isinstance(found, dict) else None
            text = message_of(found) if isinstance(found, dict) else found
            return f"{text} ({code})" if isinstance(code, str) and isinstance(text, str) else _text(text)
    return ""


def _text(value: object) -> str:
    """Lists of FastAPI hold the input beside each message; the message alone is taken."""
    if isinstance(value, str):
        return value
    first = value[0] if isinstance(value, list) and value else None
    return first["msg"] if isinstance(first, dict) and isinstance(first.get("msg"), str) else ""


def _repeats(line: str, sent: Sequence[str]) -> bool:
    for text in sent:
        flat = " ".join(text.split())
        if len(flat) <= 2 * ECHO_CHARS and len(flat) >= SHORT_ECHO_CHARS and flat in line:
            return True
        if _shares(line, flat):
            return True
    return False


def _shares(line: str, text: str) -> bool:
    """Whether they have ECHO_CHARS in a row in common. Any such row holds half as many that begin at a multiple of
    that, so few pieces have to be looked for in what may be a whole prompt.
    """
    half = ECHO_CHARS // 2
    for middle in range(0, len(line) - half + 1, half):
        if line[middle : middle + half] not in text:
            continue
        starts = range(max(0, middle - half), min(middle, len(line) - ECHO_CHARS) + 1)
        if any(line[start : start + ECHO_CHARS] in text for start in starts):
            return True
    return False
