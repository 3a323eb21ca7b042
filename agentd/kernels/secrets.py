"""Find secrets in text: private keys, tokens of well-known formats, passwords in URLs, and what is assigned to a name
that says it is one.

Two steps, because almost no text holds any. A literal that every secret of a kind has, or a name that speaks of one,
has to be there at all: looking for them is most of the 15 % of parsing that this costs. Only then the rules are asked,
each from where that stands. Both are linear in the text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from agentd.kernels.assigned import assigned_values, secret_names
from agentd.kernels.seams import joined_texts
from agentd.kernels.secret_rules import (
    CUT_URL,
    PRIVATE_KEY_CHARS,
    PRIVATE_KEY_END,
    PRIVATE_KEY_START,
    TOKENS,
    URL_PASSWORD,
    Rule,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentd.kernels.assigned import SecretName

MIN_RUN = 12
"""Characters; shorter values are not told from ordinary words."""

MASK = "*"

MOST = 0.6
"""Share of the visible characters of a file; the rest is names, labels and punctuation."""

_IN_RUNS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+/.~!@#$%^&*?")
_RUNS = bytes(byte if byte in _IN_RUNS else 0x20 for byte in range(256))
_DIGITS = b"0123456789"
_WITHOUT_DIGITS = (b"hf_", b"AKIA", b"ASIA", b"glpat-", b"AIza", b"GOCSPX-", b"sk_live_", b"rk_live_")
"""How the tokens begin that may have none."""
_LITERALS = tuple(
    (literal, _IN_RUNS.issuperset(literal.encode()), rule) for rule in TOKENS for literal in rule.literals
)
"""Each with whether it can stand in a run; ``AccountKey=`` stands before one."""
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
    rules, names = _rules(text), secret_names(text)
    found += _found(text, rules, names)
    if rules or names or ("://" in text and CUT_URL.search(text)):
        found += _across_seams(text)
    return _without_overlaps(found)


def _found(text: str, rules: list[Rule], names: list[SecretName]) -> Iterator[Secret]:
    """All but private keys, which are of many lines themselves. What is known by its issuer comes first."""
    for rule in rules:
        yield from _matches(text, rule)
    if "://" in text:
        yield from _matches(text, URL_PASSWORD)
    for start, end in assigned_values(text, names):
        yield Secret(start, end, "assigned")


def _across_seams(text: str) -> Iterator[Secret]:
    """What is cut in parts by the ends of lines, part by part."""
    for joined in joined_texts(text):
        for start, end, kind in _found(joined.text, _rules(joined.text), secret_names(joined.text)):
            spans = joined.spans(start, end)
            if len(spans) > 1:
                yield from (Secret(*span, kind) for span in spans)


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


def _rules(text: str) -> list[Rule]:
    """Rules one of whose literals is there."""
    runs = _telling_runs(text)
    if not runs:
        return []
    return list(dict.fromkeys([rule for literal, inside, rule in _LITERALS if literal in (runs if inside else text)]))


def _telling_runs(text: str) -> str:
    """Runs of what tokens are made of: long enough to be one, and with a digit as nearly all have."""
    words = set(text.encode(errors="replace").translate(_RUNS).split())
    runs = b" ".join([word for word in words if len(word) >= MIN_RUN])
    if not any(start in runs for start in _WITHOUT_DIGITS):
        runs = b" ".join([run for run in runs.split() if len(run.translate(None, _DIGITS)) < len(run)])
    return runs.decode("ascii")


def _matches(text: str, rule: Rule) -> Iterator[Secret]:
    for literal in rule.literals:
        at = text.find(literal)
        while at >= 0:
            match = rule.pattern.match(text, at)
            if match is not None and rule.accepts(value := match[rule.pattern.groups]):
                end = match.end(rule.pattern.groups)
                yield Secret(end - len(value) - rule.before, end, rule.kind)
                at = match.end() - 1
            at = text.find(literal, at + 1)


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
