"""What a query asks for: its type, and the names in it. Pure, and a few microseconds for a line of text."""

from __future__ import annotations

import re
from enum import StrEnum

from msgspec import Struct

from agentd.domain import JOINTS, name_parts

LONGEST = 2000
"""Characters of a query that are looked at: a pasted traceback says what it is in its first lines."""

MAX_NAMES = 16


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


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_EXTENSIONS = (
    "py pyi js jsx ts tsx go rs java c h cc cpp cxx hpp cs rb php kt kts swift scala lua sh bash md rst txt"
    " toml yaml yml json ini cfg html css sql proto xml ipynb"
    " pyx pxd mjs cjs mts cts hh hxx po pot vue svelte scss sass gradle plist tf hcl exs erl dart cmake mk ps1 csv tsv"
    " svg graphql prisma tpl jinja j2 hbs erb adoc tex jsonc"
)
"""Not those that are as often the last part of a name: ``log``, ``env``, ``lock``, ``properties``."""
_IDENTIFIER = r"[^\W\d]\w*"
_TOKEN = re.compile(
    # A path is tried where a run begins, and nowhere within it: that would take quadratic time.
    rf"(?<![~\w.-])[~\w.-]*+/[\w./*-]*|{_IDENTIFIER}(?:(?:\.|::|->|#){_IDENTIFIER})*(?:\(\))?"
)
_ELSEWHERE = re.compile(
    r"(?<![a-z])[a-z][a-z0-9+.-]{0,20}://\S*|(?<!\S)[^\s@]+@[^\s@]+\.[^\s@]+|\b[a-z]:(?=[\\/][\w.])", re.IGNORECASE
)
"""Addresses of pages and of people, and the letters of drives: neither names nor parts of paths."""

_WORD = re.compile(r"\w")
_BACKSLASH = re.compile(r"(?<=[\w.:])\\(?=[\w.])")
_FILE = re.compile(rf"^[\w.-]+\.(?:{'|'.join(_EXTENSIONS.split())})$", re.IGNORECASE)
_CAMEL = re.compile(r"[a-z0-9][A-Z]|[A-Z]{2}[a-z]")
_PLURAL = re.compile(r"^[A-Z][A-Z0-9]+s$")
_ERROR = re.compile(
    r"(?-i:\b(?:[A-Z]\w*)?(?:Error|Exception|Warning|Fault|Panic))\s*[:(]|\bTraceback\b|\bpanic(?:ked)?\b[: ]"
    r"|\b(?:error(?:\[\w+\])?|warning|fatal):|\bErrno \d+|\bsegmentation fault\b"
    r"|\bundefined reference\b|\bexception in thread\b|^\s*E\s{2,}\S",
    re.IGNORECASE,
)
_DECLARED = re.compile(
    r"^(?:(?:pub|public|private|static|async|export|abstract|final)\s+)*"
    r"(?P<keyword>class|def|function|func|fn|fun|struct|enum|interface|trait|type|module|namespace|method|macro|const)"
    rf"\s+(?P<name>{_IDENTIFIER}(?:(?:\.|::){_IDENTIFIER})*)\s*(?P<rest>(?:\(.*)?[:{{]?)$"
)
_NO_ENGLISH = frozenset({"def", "func", "fn"})
_PROSE = _words(
    "e.g i.e a.k.a u.s node.js vue.js next.js three.js d3.js github gitlab javascript typescript coffeescript"
    " powershell postgresql mysql mariadb mongodb sqlite nosql graphql oauth oauth2 openid openssl openssh macos ios"
    " ipados iphone ipad jquery youtube paypal devops wifi latex vscode"
)
"""Written like names or files, and seldom meant so."""

_FILES = _words("readme makefile dockerfile license licence changelog gemfile jenkinsfile procfile vagrantfile")
"""Files that go by a name without an extension."""


def analyse(query: str) -> Analysis:
    """Take a query apart.

    >>> analyse("Session.get").type
    <QueryType.QUALIFIED: 'qualified_name'>
    >>> analyse("where does Session.get merge cookies").names
    ('Session.get',)
    """
    text = query[:LONGEST].strip()
    if (declared := _DECLARED.match(text)) and _is_declaration(declared):
        name = declared["name"]
        return Analysis(_type_of_name(name), names=(name,))
    plain = _ELSEWHERE.sub(" ", _BACKSLASH.sub("/", text))
    found = _TOKEN.findall(plain.replace("`", " ").replace("\\", " "))
    tokens = list(dict.fromkeys(token.rstrip(".-") for token in found))
    if len(tokens) == 1 and len(text.split()) == 1:
        return _single(tokens[0], hidden=text.startswith(f".{tokens[0]}"))
    paths = tuple(dict.fromkeys(token for token in tokens if is_path(token)))[:MAX_NAMES]
    others = [part for token in tokens if not is_path(token) for part in token.split("/") if _WORD.search(part)]
    names = tuple(dict.fromkeys(token.removesuffix("()") for token in others if is_name(token)))[:MAX_NAMES]
    words = tuple(dict.fromkeys(token for token in others if not is_name(token)))
    return Analysis(_type(text, names, words, paths), names, words, paths)


def is_name(token: str) -> bool:
    """Whether a token among others can only be a name of code: joined, called, or with capitals or ``_`` inside."""
    if token.endswith("()"):
        return True
    if token.lower() in _PROSE or _PLURAL.match(token):
        return False
    return bool(JOINTS.search(token) or "_" in token.strip("_") or token.startswith("_") or _CAMEL.search(token))


def is_path(token: str) -> bool:
    """Whether a token among others names a file or folder: ``and/or`` and ``tcp/ip`` do not."""
    if token.lower() in _PROSE:
        return False
    if token.startswith(("./", "../", "~/")):
        return True
    folders = token.strip("/").count("/")
    return folders > 1 or (folders == 1 and token[0] == "/") or _FILE.match(token.rpartition("/")[2]) is not None


def _is_declaration(match: re.Match[str]) -> bool:
    """Whether it is code: ``class Session`` and ``type checking():`` are, ``type checking`` is English."""
    name = match["name"]
    return bool(match["rest"]) or match["keyword"] in _NO_ENGLISH or name[0].isupper() or is_name(name)


def _single(token: str, *, hidden: bool) -> Analysis:
    """One word; a ``hidden`` file begins with a dot, which the token has lost."""
    if hidden and len(name_parts(token)) == 1:
        return Analysis(QueryType.PATH, paths=(f".{token}",))
    if "/" in token or is_path(token) or token.lower() in _FILES:
        return Analysis(QueryType.PATH, paths=(token,))
    name = token.removesuffix("()")
    return Analysis(_type_of_name(name), names=(name,))


def _type_of_name(name: str) -> QueryType:
    return QueryType.QUALIFIED if len(name_parts(name)) > 1 else QueryType.IDENTIFIER


def _type(text: str, names: tuple[str, ...], words: tuple[str, ...], paths: tuple[str, ...]) -> QueryType:
    if _ERROR.search(text):
        return QueryType.ERROR
    if names and not words:
        return _type_of_name(names[0]) if len(names) == 1 else QueryType.MIXED
    if paths and not words and not names:
        return QueryType.PATH
    return QueryType.MIXED if names or paths else QueryType.QUESTION
