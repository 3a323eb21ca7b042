"""An answer as it is kept and sent: field for field the shapes of ``agentd.protocol.answer``."""

from __future__ import annotations

import hashlib
import secrets
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from agentd.answer.contracts import SourceStatus
from agentd.providers.contracts import Usage


class Citation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a number in the text stands for. ``hash`` is that of exactly ``text``, as :func:`text_hash` makes it."""

    n: int
    start_line: int
    end_line: int
    hash: str
    text: str
    source: str
    supported: bool | UnsetType = UNSET
    path: str | UnsetType = UNSET
    root: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    title: str = ""
    symbol: str = ""


class Claim(Struct, frozen=True):
    """A sentence of the answer, without its marks. ``supported`` is None where it could not be judged."""

    text: str
    citations: list[int]
    supported: bool | None
    reasons: list[str]


class Answer(Struct, frozen=True, kw_only=True):
    """A finished answer. ``at`` is in seconds since the epoch, ``timings`` in milliseconds by stage; ``roots`` are
    those whose text the answer was made from or that were asked for by name.
    """

    id: str
    at: float
    question: str
    answer: str
    mode: Literal["generated", "extractive"]
    model: str
    citations: list[Citation]
    claims: list[Claim]
    sources: dict[str, SourceStatus]
    degraded: list[str]
    timings: dict[str, float]
    usage: Usage
    roots: list[str]


def text_hash(text: str) -> str:
    """``sha256:`` and the digest of ``text`` in UTF-8, so that ``sha256sum`` can check it too.

    >>> text_hash("")[:14]
    'sha256:e3b0c44'
    """
    return f"sha256:{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()}"


ID_LENGTH = 12
_ID_SIGNS = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32, in lower case: sorts as it counts, and has no two signs that look alike."""
_ID_EPOCH = 1_577_836_800
"""2020: 40 bits of milliseconds from there last until 2054."""


def new_id(now: float) -> str:
    """An id of 12 signs; later ones sort after earlier ones. ``now`` is in seconds since the epoch.

    >>> new_id(1763800000.5)[:7], len(new_id(0))
    ('5d64afz', 12)
    """
    moment = max(0, int(1000 * (now - _ID_EPOCH))) & ((1 << 40) - 1)
    number = moment << 20 | secrets.randbits(20)
    return "".join(_ID_SIGNS[number >> 5 * place & 31] for place in reversed(range(ID_LENGTH)))
