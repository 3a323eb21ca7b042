"""The words of the house: values that several layers share. Frozen, and without behaviour beyond what they derive.

Paths of documents are relative to their root, with ``/`` between parts; lines count from 1 with both ends included;
byte spans are half open; times in nanoseconds are since the epoch.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    """What a document is, as far as search cares."""

    CODE = "code"
    DOCS = "docs"
    DATA = "data"


class SkipReason(StrEnum):
    """Why a file below a root is not searchable. Each is counted in ``status``; ignored files are not skipped files."""

    BINARY = "binary"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"
    NOT_REGULAR = "not_regular"
    OUTSIDE_ROOT = "outside_root"
    SYMLINK_LOOP = "symlink_loop"
    BAD_NAME = "bad_name"
    TOO_DEEP = "too_deep"
    UNSTABLE = "unstable"
    ENCRYPTED = "encrypted"
    DAMAGED = "damaged"
    WORKER_DIED = "worker_died"
    TIMEOUT = "timeout"


class RootOrigin(StrEnum):
    """Who named a root: those of flag and file are fixed, those added over the socket live in the state."""

    FLAG = "flag"
    FILE = "file"
    ADDED = "added"


class Root(Struct, frozen=True):
    """A folder that is kept indexed. ``path`` is absolute and resolved."""

    id: int
    path: str
    origin: RootOrigin


class Space(Struct, frozen=True):
    """Where vectors are comparable: provider, model, dimension and revision. Spaces never mix."""

    provider: str
    model: str
    dimension: int
    revision: str

    @property
    def key(self) -> str:
        """Stable text form, used as a key in the state."""
        return f"{self.provider}/{self.model}/{self.dimension}/{self.revision}"

    @property
    def slug(self) -> str:
        """The key as a file name: a model's name may hold anything, so it is hashed."""
        return hashlib.blake2b(self.key.encode(), digest_size=8).hexdigest()


class Chunk(Struct, frozen=True, array_like=True):
    """A passage of a document.

    ``text`` is what a person reads (for line-based files the exact text of the span), ``context`` the heading or scope
    path above it, ``text_hash`` the BLAKE2b-128 of the exact text that is embedded, which never holds the path, and
    ``parts`` are those of the identifiers in ``text``, for keyword search.
    """

    start_line: int
    end_line: int
    start_byte: int
    end_byte: int
    symbol: str
    context: str
    text: str
    text_hash: bytes
    parts: str = ""

    @property
    def embedding_text(self) -> str:
        """The exact text that is embedded."""
        return embedding_text(self.context, self.text)


def embedding_text(context: str, text: str) -> str:
    """The exact text that is embedded for a chunk; its hash is the key of the embedding cache."""
    return f"{context}\n{text}" if context else text


class Filter(Struct, frozen=True):
    """What a search is restricted to; an empty tuple restricts nothing. ``paths`` are globs relative to the root."""

    roots: tuple[int, ...] = ()
    paths: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
