"""Find secrets in text: private keys, tokens of well-known formats, passwords in URLs, and what is assigned to a name
that says it is one.

Two steps, because almost no text holds any. A run of MIN_RUN characters that tokens are made of, or one of two
literals, has to be there at all: that costs some 2 % of parsing. Only then the rules are asked, each from where its
literal stands. Both are linear in the text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from agentd.kernels.secret_rules import (
    ASSIGNED,
    MAX_NAME,
    NAME,
    PRIVATE_KEY_CHARS,
    PRIVATE_KEY_END,
    PRIVATE_KEY_START,
    TOKENS,
    URL_PASSWORD,
    Rule,
    looks_random,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

MIN_RUN = 12
"""Characters; shorter values are not told from ordinary words."""

MASK = "*"

MOST = 0.6
"""Share of the visible characters of a file; the rest is names, labels and punctuation."""

_IN_RUNS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+/.~!@#$%^&*?")
_RUNS = bytes(byte if byte in _IN_RUNS else 0x20 for byte in range(256))
_DIGITS = b"0123456789"
_WITHOUT_DIGITS = b"hf_"
"""How the tokens begin that may have none."""
_LITERALS = tuple(
    (literal, _IN_RUNS.issuperset(literal.encode()), rule) for rule in TOKENS for literal in rule.literals
)
"""Each with whether it can stand in a run; ``AccountKey=`` stands before one."""
_WORDY = re.compile(r"(?:[A-Za-z]*[0-9]{0,5}[_./@+-]+)*[A-Za-z]*[0-9]{0,5}")
"""Words and numbers, joined: ``tests/test_ticket_11722``."""
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s\\]{0,16384}")
_VISIBLE = re.compile(r"[!-~]")
"""What a secret is made of. Other characters may have several bytes; they stay, so that bytes keep their places."""


class Secret(NamedTuple):
    """Characters ``start`` to ``end`` (half open) of the text hold a secret."""

    start: int
    end: int
    kind: str


def find_secrets(text: str) -> list[Secret]:
    """Every secret that is recognised, in order and without overlaps."""
    found: list[Secret] = []
    if "PRIVATE KEY" in text:
        found += _private_keys(text)
    if "://" in text:
        found += _matches(text, URL_PASSWORD)
    if runs := _telling_runs(text):
        found += _tokens(text, " ".join(runs))
        found += _assigned(text, runs)
    return _without_overlaps(found)


def mask(text: str, secrets: list[Secret]) -> str:
    """The text with a ``*`` for each character of a secret. Lengths, in characters and in bytes, and line ends stay."""
    parts: list[str] = []
    at = 0
    for start, end, _ in secrets:
        parts += (text[at:start], _VISIBLE.sub(MASK, text[start:end]))
        at = end
    return "".join((*parts, text[at:]))


def is_mostly_secret(text: str, secrets: list[Secret]) -> bool:
    """Whether a file has little but secrets, such as a key under a name that does not say so."""
    hidden = sum(len(_VISIBLE.findall(text, start, end)) for start, end, _ in secrets)
    return hidden > 0 and hidden > MOST * len(_VISIBLE.findall(text))


def _telling_runs(text: str) -> list[str]:
    """Runs of what tokens are made of, in their order: long enough to be one, and with a digit as nearly all have."""
    data = text.encode(errors="replace").translate(_RUNS)
    runs = [run for run in data.split() if len(run) >= MIN_RUN]
    if _WITHOUT_DIGITS not in data:
        runs = [run for run in runs if len(run.translate(None, _DIGITS)) < len(run)]
    return [run.decode("ascii") for run in runs]


def _tokens(text: str, runs: str) -> Iterator[Secret]:
    for rule in dict.fromkeys([rule for literal, inside, rule in _LITERALS if literal in (runs if inside else text)]):
        yield from _matches(text, rule)


def _matches(text: str, rule: Rule) -> Iterator[Secret]:
    for literal in rule.literals:
        at = text.find(literal)
        while at >= 0:
            match = rule.pattern.match(text, at)
            if match is not None and rule.accepts(value := match[rule.pattern.groups]):
                yield Secret(match.end(rule.pattern.groups) - len(value), match.end(rule.pattern.groups), rule.kind)
                at = match.end() - 1
            at = text.find(literal, at + 1)


def _assigned(text: str, runs: list[str]) -> Iterator[Secret]:
    """Values of names that speak of secrets: what looks random, with such a name before it."""
    at = 0
    for run in runs:
        if _WORDY.fullmatch(run):
            continue
        at = text.find(run, at)
        if (value := _value_before(text, at)) is not None:
            yield Secret(*value.span("secret"), "assigned")
        at += len(run)


def _value_before(text: str, at: int) -> re.Match[str] | None:
    """What holds ``at`` and is assigned to a name that begins at most MAX_NAME characters before it."""
    before = max(0, at - MAX_NAME)
    for name in NAME.finditer(text[before:at].lower()):
        value = ASSIGNED.match(text, before + name.end())
        if value is not None and value.end("secret") > at and _is_value(value):
            return value
    return None


def _is_value(match: re.Match[str]) -> bool:
    """Whether what a name is given is a secret; outside of quotes names of code look much like one."""
    value = match["secret"]
    if match["quote"]:
        return match["end"][-1:] == match["quote"][-1] and looks_random(value)
    digits = sum(map(str.isdigit, value))
    return len(value) >= 16 and (digits >= 3 or len(value) >= 32) and looks_random(value) and value != value.lower()


def _private_keys(text: str) -> Iterator[Secret]:
    """Blocks in PEM and OpenPGP's armour, also within a string; one without its end up to where base64 ceases."""
    at = end = 0
    while (start := PRIVATE_KEY_START.search(text, at)) is not None:
        if end <= start.end():
            end = text.find(PRIVATE_KEY_END, start.end())
            end = len(text) + PRIVATE_KEY_CHARS if end < 0 else end  # looked for once only
        if end - start.end() <= PRIVATE_KEY_CHARS:
            closing = text.find("-----", end + len(PRIVATE_KEY_END), end + 60)
            at = closing + 5 if closing >= 0 else end + len(PRIVATE_KEY_END)
        else:
            body = _BASE64.match(text, start.end())
            at = body.end() if body is not None else start.end()
        yield Secret(start.start(), at, "private_key")


def _without_overlaps(found: list[Secret]) -> list[Secret]:
    """In order; where two overlap they become one, of the kind that begins first, the longer of two."""
    merged: list[Secret] = []
    for secret in sorted(found, key=lambda each: (each.start, -each.end)):
        if merged and secret.start < merged[-1].end:
            last = merged[-1]
            merged[-1] = Secret(last.start, max(last.end, secret.end), last.kind)
        else:
            merged.append(secret)
    return merged
