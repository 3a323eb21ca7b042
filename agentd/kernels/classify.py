"""What a file is: its language, its kind, and whether its passages deserve vectors.

By whole name, then extension, then ``#!`` line, as GitHub linguist does it; content decides only where an extension is
shared: ``.txt`` is reStructuredText in Django's documentation, ``.h`` may be C++ and ``.ts`` a translation of Qt's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from agentd.domain import Kind
from agentd.kernels import languages
from agentd.kernels.low_value import is_low_value

if TYPE_CHECKING:
    from collections.abc import Callable


class FileClass(NamedTuple):
    """``embed`` is false for what gets keyword search only. Vendored code is embedded: people ask about it."""

    language: str
    kind: Kind
    embed: bool


def classify(path: str, head: str, size: int) -> FileClass:
    """Classify by ``path`` (relative, with ``/``), the start of its text (8,000 characters are plenty) and bytes."""
    language = language_of(path, head)
    kind = kind_of(language, path)
    return FileClass(language, kind, embed=not is_low_value(path, head, size, language, kind))


def is_pdf(path: str, data: bytes) -> bool:
    """Whether to read as PDF. Readers accept junk before the header (ISO 32000-1, Annex H.3), here only so named."""
    return data.startswith(b"%PDF-") or (path.lower().endswith(".pdf") and b"%PDF-" in data[:1024])


def language_of(path: str, head: str) -> str:
    """The language of a file, ``text`` where nothing tells."""
    folder, _, name = path.lower().rpartition("/")
    if language := languages.NAMES.get(name) or _by_affix(folder, name):
        return _by_content("txt", head, language) if language in {"text", "requirements"} else language
    extension = telling_extension(name)
    if language := languages.EXTENSIONS.get(extension):
        return _by_content(extension, head, language)
    return _by_shebang(head) or _by_first_line(head) or "text"


def telling_extension(name: str) -> str:
    """The extension that says what a file is: ``py`` of ``a.py``, ``a.py.example`` and Django's ``a.py-tpl``."""
    stem, _, extension = name.removesuffix("-tpl").rpartition(".")
    if extension in languages.WRAPPERS:
        stem, _, extension = stem.rpartition(".")
    return extension if stem else ""


def kind_of(language: str, path: str) -> Kind:
    """Code, documentation or data. Text under an extension that nobody knows is data: most of it is."""
    if language == "text" and _has_unknown_extension(path.rsplit("/", 1)[-1].lower()):
        return Kind.DATA
    return Kind(languages.KINDS.get(language, "code"))


def _has_unknown_extension(name: str) -> bool:
    extension = telling_extension(name)
    if not extension.isalnum() or extension.isdigit() or extension in languages.EXTENSIONS:
        return False
    return name.partition(".")[0] not in languages.NAMES  # README.foo is still a readme


def _by_affix(folder: str, name: str) -> str | None:
    if name.startswith(("dockerfile.", "containerfile.")):
        return "dockerfile"
    if name.endswith(".txt") and ("requirements" in name or folder.endswith("requirements")):
        return "requirements"
    return "ini" if name == ".env" or name.startswith(".env.") else None


def _by_shebang(head: str) -> str | None:
    """The interpreter of ``#!/usr/bin/env -S NAME=VALUE python3.11 -u`` and its simpler forms."""
    if not head.startswith("#!"):
        return None
    words = head[2 : head.find("\n") if "\n" in head[:300] else 300].split()
    names = [word.rsplit("/", 1)[-1] for word in words if not word.startswith("-") and "=" not in word]
    if names and names[0] == "env":
        names.pop(0)
    return languages.INTERPRETERS.get(re.sub(r"[\d.]+$", "", names[0]).lower()) if names else None


def _by_first_line(head: str) -> str | None:
    start = head[:200].lstrip().lower()
    if start.startswith("<?xml"):
        return "xml"
    return "html" if start.startswith(("<!doctype html", "<html")) else None


def _by_content(extension: str, head: str, language: str) -> str:
    refine = _REFINERS.get(extension)
    return refine(head, language) if refine else language


_REST_STRONG = re.compile(
    r"^\.\. (?:[\w:+-]+::(?:\s|$)|_[^:\n]+:(?:\s|$)|\|[^|\n]+\|\s)|:(?:ref|doc|class|func|meth|mod|attr|term):`",
    re.MULTILINE,
)
_REST_TITLE = re.compile(r"^(?P<title>\S.{2,})\n(?P<underline>([=\-~^\"'*+#])\3{2,})[ \t]*$", re.MULTILINE)
_CPP = re.compile(
    r"^\s*(?:(?:class|namespace|using|template|public|private|protected)\b(?!\s*=)|#\s*include\s*<[a-z_]+>)|\bstd::",
    re.MULTILINE,
)
_OBJECTIVE_C = re.compile(r"^\s*(?:@(?:interface|implementation|protocol|import|class|end)\b|#import\b)", re.MULTILINE)
_PROLOG_OR_PERL = re.compile(r"^\s*:-|^[a-z]\w*\(.*\)\s*:-", re.MULTILINE)


def _text(head: str, language: str) -> str:
    """Detect reStructuredText by a directive, target, substitution or role, or by underlined titles.

    One title must open the file, else there must be two: a single one may be the head of a table.
    """
    if _REST_STRONG.search(head):
        return "restructuredtext"
    titles = [m.start() for m in _REST_TITLE.finditer(head) if len(m["underline"]) >= len(m["title"])]
    opens = bool(titles) and not head[: titles[0]].strip()
    return "restructuredtext" if opens or len(titles) > 1 else language


def _header(head: str, language: str) -> str:
    if _OBJECTIVE_C.search(head):
        return "objective-c"
    return "cpp" if _CPP.search(head) else language


def _m(head: str, language: str) -> str:
    return "objective-c" if _OBJECTIVE_C.search(head) else language


def _typescript(head: str, _language: str) -> str:
    return "xliff" if "<!DOCTYPE TS>" in head[:300] or head[:300].lstrip().startswith("<?xml") else "typescript"


def _perl(head: str, language: str) -> str:
    return "prolog" if _PROLOG_OR_PERL.search(head) and "use strict" not in head else language


def _roff(head: str, _language: str) -> str:
    return "roff" if head.startswith((".", "'")) else "text"


def _pdf(head: str, _language: str) -> str:
    """A ``.pdf`` that turned out to be text is a pointer of Git LFS or an error page."""
    return "pdf" if not head or head.startswith("%PDF-") else "text"


_REFINERS: dict[str, Callable[[str, str], str]] = {
    "txt": _text,
    "text": _text,
    "h": _header,
    "m": _m,
    "ts": _typescript,
    "pl": _perl,
    "pdf": _pdf,
    **dict.fromkeys("12345678", _roff),
}
