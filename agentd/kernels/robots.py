"""What a ``robots.txt`` allows, after RFC 9309: the longest rule that matches decides, ``*`` and ``$`` as it says.

Rules are matched piece by piece between their stars, each at its first place, which no pattern can make slow; a
pattern turned into a regular expression could be made to run for ever by the host that wrote it.
"""

from __future__ import annotations

import re
import string
from typing import NamedTuple
from urllib.parse import quote

from agentd.kernels.web_messages import RobotsRequest, RobotsVerdict

MAX_BYTES = 500 * 1024
"""Read of a file; the standard asks for no less, and the rest is left out."""

_LINE = re.compile(r"\s*([A-Za-z-]+)\s*:\s*([^#]*)")
_TOKEN = re.compile(r"[A-Za-z_-]+|\*")
_ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")
_UNRESERVED = frozenset(string.ascii_letters + string.digits + "-._~")
_KEPT = string.punctuation


class Rule(NamedTuple):
    """A path pattern, normalised, and what it says of paths that match."""

    pattern: str
    allow: bool


def judge(request: RobotsRequest) -> RobotsVerdict:
    """Whether ``request.agent`` may fetch ``request.path``."""
    path = normalise(request.path or "/")
    if path.partition("?")[0] == "/robots.txt":
        return RobotsVerdict(allowed=True)
    best: Rule | None = None
    for rule in rules_for(request.body[:MAX_BYTES].decode(errors="replace"), request.agent):
        if best is not None and (len(rule.pattern), rule.allow) <= (len(best.pattern), best.allow):
            continue  # the longest wins, and of two as long the one that allows
        if matches(rule.pattern, path):
            best = rule
    if best is None:
        return RobotsVerdict(allowed=True)
    return RobotsVerdict(best.allow, f"{'Allow' if best.allow else 'Disallow'}: {best.pattern}")


def rules_for(text: str, agent: str) -> list[Rule]:
    """The rules of all groups that name ``agent`` (its product token), else of those for ``*``."""
    mine: list[Rule] = []
    others: list[Rule] = []
    named = False
    agents: set[str] = set()
    in_rules = True
    for line in text.removeprefix("\ufeff").splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        key, value = match[1].lower(), match[2].strip()
        if key == "user-agent":
            token = found[0].lower() if (found := _TOKEN.match(value)) else ""
            agents = {token} if in_rules else agents | {token}
            in_rules = False
            named = named or token == agent.lower()
        elif key in {"allow", "disallow"}:
            in_rules = True
            if value:  # an empty one says nothing
                rule = Rule(normalise(value), key == "allow")
                mine += [rule] * (agent.lower() in agents)
                others += [rule] * ("*" in agents)
    return mine if named else others


def normalise(path: str) -> str:
    """One way to write each path (RFC 3986, section 6.2.2): escapes of what needs none are undone, other text than
    ASCII is escaped. ``%2F`` stays, for it is no ``/``.
    """
    return quote(_ESCAPE.sub(_plainly, path), safe=_KEPT)


def _plainly(escape: re.Match[str]) -> str:
    character = chr(int(escape[0][1:], 16))
    return character if character in _UNRESERVED else escape[0].upper()


def matches(pattern: str, path: str) -> bool:
    """Whether ``pattern`` matches ``path`` from its beginning; with ``$`` at its end, the whole of it."""
    anchored = pattern.endswith("$")
    first, *rest = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    if not rest:
        return not anchored or at == len(path)
    for piece in rest[:-1] if anchored else rest:
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return not anchored or (path.endswith(rest[-1]) and len(path) - len(rest[-1]) >= at)
