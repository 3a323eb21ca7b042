"""What a query asks for: its type, and the names in it. Pure, and a few microseconds for a line of text."""

from __future__ import annotations

import re
from enum import StrEnum

from msgspec import Struct

LONGEST = 2000
"""Characters of a query that are looked at: a pasted traceback says what it is in its first lines."""

MAX_NAMES = 16

SENTENCE_WORDS = 4
"""From this many words on, words that are not names make a sentence."""


class QueryType(StrEnum):
    """What a query is, as a person would say."""

    IDENTIFIER = "identifier"
    QUALIFIED = "qualified_name"
    PATH = "path"
    ERROR = "error_message"
    QUESTION = "question"
    MIXED = "mixed"


class Analysis(Struct, frozen=True):
    """A query taken apart.

    ``names`` are the words that can only be names of code (``get_user``, ``HTTPAdapter``, ``Session.get``), as written
    but for call parentheses; in a query of one word that word is one. ``words`` are the others, which may still turn
    out to be names. ``paths`` look like files or folders.
    """

    type: QueryType
    names: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


_EXTENSIONS = (
    "py pyi js mjs jsx ts tsx go rs java c h cc cpp cxx hpp cs rb php kt kts swift scala lua sh bash md rst txt"
    " toml yaml yml json ini cfg html css sql proto xml ipynb"
)
_IDENTIFIER = r"[^\W\d]\w*"
_TOKEN = re.compile(rf"[~\w./\\-]*/[\w./\\*-]+|{_IDENTIFIER}(?:(?:\.|::|->|#){_IDENTIFIER})*(?:\(\))?")
_FILE = re.compile(rf"^[\w.-]+\.(?:{'|'.join(_EXTENSIONS.split())})$", re.IGNORECASE)
_JOINTS = re.compile(r"\.|::|->|#")
_CAMEL = re.compile(r"[a-z0-9][A-Z]|[A-Z]{2}[a-z]")
_ERROR = re.compile(
    r"\b\w*(?:Error|Exception|Warning|Fault|Panic)\b\s*[:(]|\bTraceback\b|\bpanic(?:ked)?\b[: ]|\berror(?:\[\w+\])?:"
    r"|\bfatal:|\bErrno \d+|\bsegmentation fault\b|\bundefined reference\b|\bexception in thread\b|^\s*E\s{2,}\S",
    re.IGNORECASE,
)
_DECLARED = re.compile(
    r"^(?:(?:pub|public|private|static|async|export|abstract|final)\s+)*"
    rf"(?:class|def|function|func|fn|fun|struct|enum|interface|trait|type|module|namespace|method|macro|const)\s+(?P<name>{_IDENTIFIER}(?:(?:\.|::){_IDENTIFIER})*)"
    r"\s*(?:\(.*)?[:{]?$"
)
_DOTTED_PROSE = frozenset({"e.g", "i.e", "etc.", "a.k.a", "vs.", "node.js", "u.s"})


def analyse(query: str) -> Analysis:
    """Take a query apart.

    >>> analyse("Session.get").type
    <QueryType.QUALIFIED: 'qualified_name'>
    >>> analyse("where does Session.get merge cookies").names
    ('Session.get',)
    """
    text = query[:LONGEST].strip()
    if declared := _DECLARED.match(text):
        name = declared["name"]
        return Analysis(_type_of_name(name), names=(name,))
    tokens = [token.rstrip(".-") for token in _TOKEN.findall(text.replace("`", " "))]
    if len(tokens) == 1 and " " not in text:
        return _single(tokens[0])
    paths = tuple(dict.fromkeys(token for token in tokens if is_path(token)))[:MAX_NAMES]
    others = [part for token in tokens if not is_path(token) for part in token.split("/") if part]
    names = tuple(dict.fromkeys(token.removesuffix("()") for token in others if is_name(token)))[:MAX_NAMES]
    words = tuple(dict.fromkeys(token for token in others if not is_name(token)))
    return Analysis(_type(text, names, words, paths), names, words, paths)


def is_name(token: str) -> bool:
    """Whether a token among others can only be a name of code: joined, called, or with capitals or ``_`` inside."""
    if token.endswith("()"):
        return True
    if token.lower() in _DOTTED_PROSE:
        return False
    return bool(_JOINTS.search(token) or "_" in token.strip("_") or token.startswith("_") or _CAMEL.search(token))


def is_path(token: str) -> bool:
    """Whether a token among others names a file or folder: ``and/or`` and ``tcp/ip`` do not."""
    folders = token.removeprefix("./").removeprefix("../").strip("/").count("/")
    return folders > 1 or (folders == 1 and token[0] in "./~") or _FILE.match(token.rpartition("/")[2]) is not None


def parts(name: str) -> list[str]:
    """A qualified name in its parts: those of ``a.b``, ``a::b``, ``a->b`` and ``a#b``."""
    return [part for part in _JOINTS.split(name) if part]


def _single(token: str) -> Analysis:
    if "/" in token or is_path(token):
        return Analysis(QueryType.PATH, paths=(token,))
    name = token.removesuffix("()")
    return Analysis(_type_of_name(name), names=(name,))


def _type_of_name(name: str) -> QueryType:
    return QueryType.QUALIFIED if len(parts(name)) > 1 else QueryType.IDENTIFIER


def _type(text: str, names: tuple[str, ...], words: tuple[str, ...], paths: tuple[str, ...]) -> QueryType:
    if _ERROR.search(text):
        return QueryType.ERROR
    if names and not words:
        return _type_of_name(names[0]) if len(names) == 1 else QueryType.MIXED
    if paths and not words and not names:
        return QueryType.PATH
    return QueryType.MIXED if names or paths else QueryType.QUESTION
