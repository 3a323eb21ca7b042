"""The words of the house: values that several layers share. Frozen, and without behaviour beyond what they derive.

Paths of documents are relative to their root, with ``/`` between parts; lines count from 1 with both ends included;
byte spans are half open; times in nanoseconds are since the epoch.
"""

from __future__ import annotations

import hashlib
import re
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
    SECRET = "secret"  # noqa: S105 the reason, not one
    WORKER_DIED = "worker_died"
    TIMEOUT = "timeout"
    MEMORY = "memory"


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

    @classmethod
    def of_key(cls, key: str) -> Space:
        """The space of a key; a model's name may hold ``/``.

        >>> Space.of_key("local/a/b/384/ff").model
        'a/b'
        """
        provider, rest = key.split("/", 1)
        model, dimension, revision = rest.rsplit("/", 2)
        return cls(provider, model, int(dimension), revision)

    @property
    def slug(self) -> str:
        """The key as a file name: a model's name may hold anything, so it is hashed."""
        return hashlib.blake2b(self.key.encode(), digest_size=8).hexdigest()


class Chunk(Struct, frozen=True, array_like=True):
    """A passage of a document.

    ``text`` is what a person reads (for line-based files the exact text of the span), ``context`` the heading or scope
    path above it, ``text_hash`` the BLAKE2b-128 of the exact text that is embedded, which never holds the path, and
    ``parts`` are those of the identifiers in ``text``, for keyword search. ``symbol`` is the qualified name of the
    definition it belongs to, ``names`` those of all definitions that begin in it, joined by spaces, and ``doc`` what
    their doc comments begin with.
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
    names: str = ""
    doc: str = ""

    @property
    def embedding_text(self) -> str:
        """The exact text that is embedded."""
        return embedding_text(self.context, self.text, self.names)


def embedding_text(context: str, text: str, names: str = "") -> str:
    """The exact text that is embedded for a chunk; its hash is the key of the embedding cache.

    What it defines is said in words first: a model of sentences knows ``merge cookies``, not ``merge_cookies``.
    """
    return "\n".join(part for part in (spoken(names), context, text) if part)


SPOKEN_NAMES = 4
WORD_IN_NAME = r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+|[0-9]+"
"""Regular expression of the words within a name of ASCII; single capitals say nothing."""

_WORD_IN_NAME = re.compile(WORD_IN_NAME)


def spoken(names: str) -> str:
    """The first few of qualified ``names`` in words.

    >>> spoken("Session.get_adapter HTTPAdapter")
    'get adapter, http adapter'
    """
    words = (" ".join(_WORD_IN_NAME.findall(name.rpartition(".")[2])).lower() for name in names.split()[:SPOKEN_NAMES])
    return ", ".join(dict.fromkeys(filter(None, words)))


MAX_NAME = 512
"""Characters of a qualified name; a longer one is nobody's."""

JOINTS = re.compile(r"::|->|[.#/\\]")
"""What joins the parts of a qualified name, in any language."""


def name_parts(name: str) -> list[str]:
    """The parts of a qualified name, with or without call parentheses, in any language's spelling; at least one.

    >>> name_parts("Session.get()"), name_parts("std::vec"), name_parts("")
    (['Session', 'get'], ['std', 'vec'], [''])
    """
    return [part for part in JOINTS.split(name[:MAX_NAME].strip().removesuffix("()")) if part] or [""]


class SymbolKind(StrEnum):
    """What a definition is. A language's own words are mapped to these: an object of Kotlin is a class."""

    MODULE = "module"
    CLASS = "class"
    STRUCT = "struct"
    ENUM = "enum"
    INTERFACE = "interface"
    TRAIT = "trait"
    TYPE = "type"
    FUNCTION = "function"
    METHOD = "method"
    MACRO = "macro"
    CONSTANT = "constant"
    VARIABLE = "variable"
    FIELD = "field"


class Symbol(Struct, frozen=True, array_like=True, gc=False):
    """A definition in a file. Symbols of a file are in the order of ``start_byte``, outer ones first.

    ``name`` is the last part of ``qualified``, which is qualified within the file with dots, in every language.
    ``parent`` is the ordinal (place in the file's list, from 0) of the definition around it, -1 at the top.
    ``signature`` is the head in one line, without the body; ``doc`` the doc comment or docstring, without its markers.
    The span holds decorators, attributes and doc comments right above.
    """

    kind: SymbolKind
    name: str
    qualified: str
    parent: int
    signature: str
    doc: str
    start_line: int
    end_line: int
    start_byte: int
    end_byte: int


class EdgeKind(StrEnum):
    """How one place depends on another. Containment is ``Symbol.parent``."""

    IMPORTS = "imports"
    CALLS = "calls"
    INHERITS = "inherits"


class Certainty(StrEnum):
    """How sure an edge is, surest first: by the scopes of the language, by following an import (or a type known by
    one), because only one definition has the name, or by nothing but the name.
    """

    EXACT = "exact"
    IMPORT = "import"
    UNIQUE = "unique_name"
    NAME = "name"


class Edge(Struct, frozen=True, array_like=True, gc=False):
    """What a file says about a use of something defined elsewhere; following it across files is the linker's part.

    ``source`` is the ordinal of the innermost symbol that holds it, -1 for the file itself; ``name`` the last part of
    the name used, or for an import the name it binds (``*`` where it binds everything that the module holds).
    How far the file alone tells where it leads:

    - ``target`` >= 0 and ``path`` empty: the symbol with that ordinal in the same file;
    - ``target`` >= 0 and ``path`` set: the member ``path`` that the class ``target`` has from one of its bases;
    - ``module`` set: what is named ``path`` (qualified; empty: the module itself) in the module with that key (see
      ``kernels.edges``); ``certainty`` is then EXACT where the language's scopes say so (a package of Go), else IMPORT;
    - neither: only the name is known.
    """

    source: int
    kind: EdgeKind
    name: str
    line: int
    target: int = -1
    module: str = ""
    path: str = ""
    certainty: Certainty = Certainty.NAME


class Filter(Struct, frozen=True):
    """What a search is restricted to; an empty tuple restricts nothing. ``paths`` are globs relative to the root."""

    roots: tuple[int, ...] = ()
    paths: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
